// SPDX-License-Identifier: BSD-2-Clause
// Random system calls, most of them nearly right and some of them nonsense, for a thread whose
// CSpace is one CNode that resolves all bits. Deterministic by seed; used by tests on the host and
// by the fuzz system's threads, so it needs nothing but the ABI.
#pragma once

#include "abi/sel4/labels.hpp"
#include "abi/sel4/object_types.hpp"
#include "abi/sel4/syscall.hpp"

namespace lona::kernel::testing {

using abi::Label;
using abi::ObjectType;
using abi::Word;

// Steele, Lea, Flood: "Fast splittable pseudorandom number generators" (SplitMix64).
class Random {
 public:
  explicit constexpr Random(Word seed) : state_(seed) {}
  constexpr Word next() {
    Word z = (state_ += 0x9e37'79b9'7f4a'7c15);
    z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9;
    z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11eb;
    return z ^ (z >> 31);
  }
  constexpr Word below(Word limit) { return next() % limit; }
  constexpr bool one_in(Word n) { return below(n) == 0; }

 private:
  Word state_;
};

struct RandomCall {
  static constexpr unsigned kWords = 24;

  long number = 0;
  Word cap = 0;
  Word info = 0;
  Word reply = 0;
  Word dest = 0;
  Word words[kWords] = {};
  Word caps[3] = {};
  Word receive_cnode = 0, receive_index = 0, receive_depth = 0;
};

// Where the caller's capabilities are, and what its registers may be.
struct CallSpace {
  static constexpr unsigned kSlots = 256;
  Word first;  // of the slots that objects come and go in
  Word count;
  Word cnode, untyped, tcb, sched_control, vspace, irq_handler, asid_pool, asid_control;
  Word guard;  // CNode data that makes slot numbers out of pointers
  // A thread that starts here makes random calls itself; 0: none.
  Word entry_ip, entry_sp;
  // Programs' own space starts above this address.
  Word free_address;
};

class CallGenerator {
 public:
  constexpr CallGenerator() = default;
  CallGenerator(const CallSpace& space, Word seed) : space_(space), random_(seed) {
    for (auto& guess : guesses_) guess = kUnknown;
  }

  RandomCall next();
  // The answer to the last call: what lies where is remembered, so that later calls fit better.
  void learn(Word error);
  void know(Word slot, ObjectType type) {
    guesses_[slot % CallSpace::kSlots] = static_cast<unsigned char>(type);
  }

 private:
  static constexpr unsigned char kUnknown = 0xff;

  Word any_slot() { return space_.first + random_.below(space_.count); }
  Word hostile();
  Word pick(ObjectType type);
  Word free_slot();
  Word object_or_garbage();
  Word number(Word limit) { return random_.one_in(16) ? hostile() : random_.below(limit); }
  Word address();
  Word rights() { return random_.one_in(3) ? random_.below(16) : 15; }

  void method(Word cap, Label label) {
    call_.cap = cap;
    label_ = label;
    length_ = 0;
    cap_count_ = 0;
  }
  void arg(Word value) {
    if (length_ < RandomCall::kWords) call_.words[length_++] = value;
  }
  void extra(Word cap) {
    if (cap_count_ < 3) call_.caps[cap_count_++] = cap;
  }
  void slot_arg(Word index) {
    arg(index);
    arg(random_.one_in(32) ? random_.below(70) : 64);
  }

  void retype();
  void cnode_method();
  void tcb_method();
  void tcb_space_method();
  void write_registers();
  void time_method();
  void space_method();
  void interrupt_method();
  void message();
  void nonsense();

  CallSpace space_ = {};
  Random random_{0};
  unsigned char guesses_[CallSpace::kSlots] = {};
  RandomCall call_ = {};
  Label label_ = Label::kInvalid;
  unsigned length_ = 0;
  unsigned cap_count_ = 0;
  // What the call would do to the slots.
  Word to_ = 0, from_ = 0, made_ = 0;
  unsigned char making_ = kUnknown;
};

}  // namespace lona::kernel::testing
