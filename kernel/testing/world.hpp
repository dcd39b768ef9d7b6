// SPDX-License-Identifier: BSD-2-Clause
// A kernel on the host for tests: real objects in host memory, a clock and an interrupt line that
// the test moves by hand, and system calls made by setting a thread's registers.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "abi/sel4/labels.hpp"
#include "abi/sel4/syscall.hpp"
#include "kernel/api/entry.hpp"
#include "kernel/object/derivation.hpp"
#include "kernel/sched/scheduler.hpp"

namespace lona::kernel::testing {

// What the stand-in for the architecture does; see fake_arch.cpp.
struct FakeMachine {
  Ticks now = 1000;
  Ticks deadline = 0;
  unsigned interrupt_every = 0;  // a preemption point finds an interrupt each so many times
  unsigned preemption_points = 0;
  unsigned masked = 0;
  unsigned prodded = 0;  // cores, a bit each
  unsigned stopped = 0;
};
extern FakeMachine machine;
inline constexpr Ticks kTicksPerUs = 10;

struct Message {
  abi::MessageInfo info;
  Word badge;
  Word words[4];
};

class World {
 public:
  static constexpr unsigned kRootBits = 12;

  World();
  ~World();
  World(const World&) = delete;

  // The root thread: priority 255, holds everything.
  Tcb& root() { return *root_; }
  Slot& slot(Word index) { return root_slots_[index]; }
  // Slots with fixed caps.
  enum : Word {
    kTcbSlot = 1,
    kCNodeSlot = 2,
    kUntypedSlot = 3,
    kSchedControlSlot = 4,
    kVSpaceSlot = 5,
    kIrqControlSlot = 6,
    kBufferSlot = 7,
    kDomainSlot = 8,
    kContextSlot = 9,
    kSecondSchedControlSlot = 10,  // of core 1
    kFirstFree = 16
  };
  Word new_slot() { return next_slot_++; }

  // A system call by the running thread; returns what is in its registers when the kernel is left
  // (its own answer only if it still runs).
  Message syscall(abi::Syscall number, Word cap, abi::MessageInfo info,
                  std::vector<Word> words = {}, Word reply = 0, Word dest = 0);
  // Call of a method with caps; the error label.
  abi::Error invoke(Word cap, abi::Label label, std::vector<Word> words,
                    std::vector<Word> caps = {});
  // The same, made again while interrupts preempt it.
  abi::Error invoke_until_done(Word cap, abi::Label label, std::vector<Word> words,
                               std::vector<Word> caps = {});
  Message last_reply(Tcb& tcb);

  // Makes an object in a new slot; fails the test if it cannot.
  Word make(abi::ObjectType type, Word size_bits = 0);
  struct Thread {
    Word tcb_slot;
    Word context_slot;  // 0 for a passive thread
    Tcb* tcb;
    abi::IpcBuffer* buffer;
  };
  // A thread in the root's CSpace, started; it runs when it is chosen.
  Thread make_thread(unsigned priority, bool passive = false);
  abi::Error configure(Word context_slot, Word budget_us, Word period_us, Word extra = 0,
                       unsigned core = 0);
  // The machine has two cores; what follows happens on this one.
  void on_core(unsigned core) { running_core = &cores[core]; }
  abi::Error copy(Word from, Word to, abi::CapRights rights = abi::kAllRights);
  abi::Error mint(Word from, Word to, Word badge, abi::CapRights rights = abi::kAllRights);
  abi::Error remove(Word slot);
  abi::Error revoke(Word slot);

  void advance_us(Ticks us) { machine.now += us * kTicksPerUs; }
  abi::IpcBuffer& root_buffer() { return *root_buffer_; }
  // Fails the test if anything that the kernel keeps is inconsistent (kernel/check).
  void check_invariants();

 private:
  static constexpr unsigned kMemoryBits = 22;
  std::vector<void*> owned_;
  void* allocate(unsigned bits);
  Slot* root_slots_ = nullptr;
  Tcb* root_ = nullptr;
  SchedContext* root_context_ = nullptr;
  abi::IpcBuffer* root_buffer_ = nullptr;
  Word next_slot_ = kFirstFree;
};

}  // namespace lona::kernel::testing
