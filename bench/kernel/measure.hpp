// SPDX-License-Identifier: BSD-2-Clause
// One measured system call, and the rows that are printed.
//
// The time-stamp counter is read right before and right after; under QEMU's `-icount shift=0` it
// counts instructions. The few of them that run in user mode between the readings are constant and
// taken off, so a row says what the kernel itself executed. A call that ends in another thread is
// measured from the reading before in one thread to the reading after in the other.
#pragma once

#include <initializer_list>

#include "tests/kernel/harness.hpp"

namespace lona::bench {

using abi::CPtr;
using abi::Error;
using abi::IpcBuffer;
using abi::Label;
using abi::MessageInfo;
using abi::ObjectType;
using abi::Syscall;
using abi::Word;

// Registers of a system call; measure.S knows the layout.
struct Op {
  Word number = 0;  // rdx
  Word cap = 0;     // rdi
  Word info = 0;    // rsi
  Word mr[4] = {};  // r10 r8 r9 r15
  Word reply = 0;   // r12
  Word dest = 0;    // r13
  // Out.
  Word before = 0;
  Word after = 0;
  Word badge = 0;
  Word out_info = 0;
  Word out_mr[4] = {};
  Word address = 0;  // of timed_read

  Error error() const { return MessageInfo(out_info).error(); }
};

extern "C" {
void timed(Op* op);
// Reads a word at op->address, which faults.
void timed_read(Op* op);
// Executes an instruction that does not exist, 2 bytes long.
void timed_undefined(Op* op);
// Reads the counter for ever; the last value is in op->before, the longest gap between two readings
// in op->after.
[[noreturn]] void timed_loop(Op* op);
// First instruction of a thread: the counter goes to op->after, then park() in C++.
[[noreturn]] void timed_entry(Op* op);
}
// User instructions in the window: rdtsc, two moves, and the system call or the one that faults.
inline constexpr Word kCallOverhead = 4;
inline constexpr Word kFaultOverhead = 2;  // rdtsc and a move; the faulting one never ends
inline constexpr Word kEntryOverhead = 0;
inline constexpr Word kResumeOverhead = 5;  // a call, and then the instruction that had faulted
inline constexpr Word kLoopInstructions = 10;

inline Op syscall(Syscall number, CPtr cap, MessageInfo info = {}, CPtr reply = 0) {
  Op op;
  op.number = static_cast<Word>(number);
  op.cap = cap;
  op.info = info.raw();
  op.reply = reply;
  return op;
}
// An invocation; caps and words beyond the fourth go to `buffer`.
Op invocation(IpcBuffer& buffer, CPtr service, Label label, std::initializer_list<CPtr> caps,
              std::initializer_list<Word> words);
// Of the root task.
Op invocation(CPtr service, Label label, std::initializer_list<CPtr> caps = {},
              std::initializer_list<Word> words = {});

// Kernel instructions between two readings; `user` of the instructions in between were not its.
inline Word between(Word before, Word after, Word user = kCallOverhead) {
  return static_cast<std::uint32_t>(after - before) - user;
}
// The same for a call that returned to its caller.
inline Word own(const Op& op) {
  return between(op.before, op.after);
}

class Row {
 public:
  void add(Word value) {
    if (count_ < kMax) values_[count_++] = value;
  }
  // Runs and adds a call; one that fails spoils the row.
  void run(Op op, Error expected = Error::kNone);
  void spoil() { spoilt_ = true; }
  bool full() const { return count_ == kMax; }
  void clear() {
    count_ = 0;
    spoilt_ = false;
  }
  // The median less `user` instructions, and an empty row for the next use.
  void print(std::string_view name, std::string_view more = {}, std::string_view still_more = {});
  void print(std::string_view name, Word user);

  static constexpr unsigned kMax = 32;

 private:
  Word values_[kMax] = {};
  unsigned count_ = 0;
  bool spoilt_ = false;
};

void print_row(std::string_view name, std::string_view more, std::string_view still_more,
               Word value);

}  // namespace lona::bench
