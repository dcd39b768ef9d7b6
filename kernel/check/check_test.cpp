// SPDX-License-Identifier: BSD-2-Clause
// The checker against deliberate damage, and the kernel against random system calls.
#include "kernel/check/check.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "kernel/object/thread.hpp"
#include "kernel/testing/random_calls.hpp"
#include "kernel/testing/world.hpp"

namespace lona::kernel {
namespace {

using testing::CallGenerator;
using testing::CallSpace;
using testing::machine;
using testing::Random;
using testing::RandomCall;
using testing::World;

std::string complaint() {
  const CheckResult result = check_invariants();
  return result.complaint.what == nullptr ? "" : result.complaint.what;
}

class Check : public ::testing::Test {
 protected:
  World world;
  Word endpoint = world.make(abi::ObjectType::kEndpoint);
  World::Thread thread = world.make_thread(100);
};

TEST_F(Check, NoticesABrokenLinkOfTheTree) {
  EXPECT_EQ(complaint(), "");
  world.slot(endpoint).node.set_prev(&world.slot(World::kTcbSlot));
  EXPECT_EQ(complaint(), "a slot does not point back at the one before it");
}

TEST_F(Check, NoticesACapabilityFromNowhere) {
  Slot& slot = world.slot(world.new_slot());
  slot.cap = world.slot(endpoint).cap;
  EXPECT_EQ(complaint(), "a full slot is not in the derivation tree");
}

TEST_F(Check, NoticesRightsThatGrew) {
  const Word copy = world.new_slot();
  ASSERT_EQ(world.copy(endpoint, copy, abi::kCanRead), abi::Error::kNone);
  EXPECT_EQ(complaint(), "");
  world.slot(endpoint).cap.set_rights(abi::kCanRead);
  world.slot(copy).cap.set_rights(abi::kAllRights);
  EXPECT_EQ(complaint(), "a capability has rights that its parent lacks");
}

TEST_F(Check, NoticesMemoryInTwoObjects) {
  const Word other = world.make(abi::ObjectType::kNotification);
  world.slot(other).cap = Cap::notification(world.slot(endpoint).cap.paddr(), abi::kAllRights, 0);
  EXPECT_EQ(complaint(), "two objects share memory");
}

TEST_F(Check, NoticesMemoryThatWasNotHandedOut) {
  world.slot(World::kUntypedSlot).cap.set_untyped(0, 0);
  EXPECT_EQ(complaint(), "an object lies in memory that its untyped has not handed out");
}

TEST_F(Check, NoticesAThreadThatNobodyWillRun) {
  scheduler().ready.remove(*thread.tcb);
  EXPECT_EQ(complaint(), "a thread that could run is in no queue");
}

TEST_F(Check, NoticesBudgetFromNowhere) {
  world.slot(thread.context_slot).cap.object<SchedContext>()->refills()[0].amount += 1;
  EXPECT_EQ(complaint(), "refills do not add up to the budget");
}

TEST_F(Check, NoticesAPointerToNothing) {
  thread.tcb->bound_notification = reinterpret_cast<Notification*>(thread.buffer);
  EXPECT_EQ(complaint(), "a thread is bound to a notification that does not know it");
}

// --- Random system calls -------------------------------------------------------------------------

class Fuzz {
 public:
  explicit Fuzz(Word seed) : generator_(space(), seed), random_(seed ^ 0x5eed) {
    machine.interrupt_every = static_cast<unsigned>(random_.below(4));
    for (unsigned i = 0; i < 3; ++i) world_.make_thread(static_cast<unsigned>(250 + i), i == 2);
  }

  // False: nobody is left that could do anything.
  bool step() {
    Tcb* const tcb = current_thread();
    machine.now += random_.one_in(20) ? random_.below(6000) : random_.below(40);
    if (tcb == nullptr) return wait();
    if (machine.now >= machine.deadline) {
      handle_timer();
    } else if (random_.one_in(40)) {
      handle_vm_fault(random_.next(), 4, false);
    } else if (random_.one_in(60)) {
      handle_user_exception(random_.below(20), 0);
    } else {
      call(*tcb);
    }
    return true;
  }

  World& world() { return world_; }
  unsigned calls() const { return calls_; }

 private:
  static CallSpace space() {
    return {.first = 64,
            .count = 160,
            .cnode = World::kCNodeSlot,
            .untyped = World::kUntypedSlot,
            .tcb = World::kTcbSlot,
            .sched_control = World::kSchedControlSlot,
            .vspace = World::kVSpaceSlot,
            .irq_handler = World::kIrqControlSlot,
            .asid_pool = World::kVSpaceSlot,
            .asid_control = World::kVSpaceSlot,
            .guard = 0,
            .entry_ip = 0,
            .entry_sp = 0,
            .free_address = 0x1000'0000};
  }

  bool wait() {
    const bool timer = machine.deadline < machine.now + 1'000'000;
    if (timer && !random_.one_in(4)) {
      machine.now = machine.deadline > machine.now ? machine.deadline : machine.now;
      handle_timer();
      return true;
    }
    if (kick()) return true;
    if (timer) return machine.now = machine.deadline + 1, handle_timer(), true;
    return false;
  }

  // Sets everybody going again, as a supervisor would.
  bool kick() {
    bool any = false;
    for (Word i = 0; i < 256; ++i) {
      const Cap cap = world_.slot(i).cap;
      if (!cap.is(CapType::kTcb)) continue;
      Tcb& tcb = *cap.object<Tcb>();
      if (tcb.slots[Tcb::kCSpace].empty()) continue;
      restart(tcb);
      any = any || schedulable(tcb);
    }
    start();
    return any;
  }

  void call(Tcb& tcb) {
    const RandomCall call = generator_.next();
    UserContext& c = tcb.context;
    c.rdx = static_cast<Word>(call.number);
    c.rdi = call.cap;
    c.rsi = call.info;
    c.r12 = call.reply;
    c.r13 = call.dest;
    for (unsigned i = 0; i < 4; ++i) c.set_message_register(i, call.words[i]);
    const Cap& frame = tcb.slots[Tcb::kIpcBuffer].cap;
    if (frame.is(CapType::kPage)) {
      auto& buffer =
          *reinterpret_cast<abi::IpcBuffer*>(frame.object<std::uint8_t>() + tcb.ipc_buffer % 4096);
      for (unsigned i = 4; i < RandomCall::kWords; ++i) buffer.msg[i] = call.words[i];
      for (unsigned i = 0; i < 3; ++i) buffer.caps_or_badges[i] = call.caps[i];
      buffer.receive_cnode = call.receive_cnode;
      buffer.receive_index = call.receive_index;
      buffer.receive_depth = call.receive_depth;
    }
    c.fault_ip = 0x400000;
    c.rip = 0x400002;
    ++calls_;
    handle_syscall();
    if (current_thread() != &tcb || c.rip == 0x400000) return;
    const Word error = static_cast<Word>(abi::MessageInfo(c.msg_info()).error());
    generator_.learn(error);
    if (error == 0 && abi::MessageInfo(call.info).label() == 1) check_new_pages(call);
  }

  // Memory that becomes a page is zero, whatever it held before.
  void check_new_pages(const RandomCall& call) {
    if (call.words[0] != static_cast<Word>(abi::ObjectType::kPage4K) || call.words[4] > 4000) {
      return;
    }
    const Cap& cap = world_.slot(call.words[4]).cap;
    if (!cap.is(CapType::kPage) || call.cap == call.words[4]) return;
    const auto* words = cap.object<Word>();
    for (unsigned i = 0; i < 512; ++i) ASSERT_EQ(words[i], 0u) << "a new page is not zero";
    for (unsigned i = 0; i < 512; ++i) cap.object<Word>()[i] = ~Word{0};
  }

  World world_;
  CallGenerator generator_;
  Random random_;
  unsigned calls_ = 0;
};

// LONA_FUZZ_WORLDS=N goes on for longer, LONA_FUZZ_SEED=S begins elsewhere.
Word setting(const char* name, Word otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

TEST(KernelFuzz, RandomCallsLeaveNothingInconsistent) {
  const Word first = setting("LONA_FUZZ_SEED", 1), worlds = setting("LONA_FUZZ_WORLDS", 40);
  Word calls = 0;
  for (Word seed = first; seed < first + worlds; ++seed) {
    Fuzz fuzz(seed);
    unsigned steps = 0;
    for (; steps < 1500 && fuzz.step(); ++steps) {
      fuzz.world().check_invariants();
      if (::testing::Test::HasFatalFailure()) {
        FAIL() << "seed " << seed << ", step " << steps;
      }
    }
    calls += fuzz.calls();
  }
  EXPECT_GT(calls, worlds * 300);
  RecordProperty("calls", std::to_string(calls));
  if (worlds > 40) std::printf("%llu calls\n", static_cast<unsigned long long>(calls));
}

}  // namespace
}  // namespace lona::kernel
