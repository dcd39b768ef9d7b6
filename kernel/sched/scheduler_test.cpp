// SPDX-License-Identifier: BSD-2-Clause
// Budgets, timeouts and lent time, through the kernel's entries.
#include "kernel/sched/scheduler.hpp"

#include <gtest/gtest.h>

#include "abi/sel4/fault.hpp"
#include "kernel/ipc/ipc.hpp"
#include "kernel/testing/world.hpp"

namespace lona::kernel {
namespace {

using abi::Error;
using abi::Label;
using abi::MessageInfo;
using abi::ObjectType;
using abi::Syscall;
using testing::machine;
using testing::World;

class Scheduling : public ::testing::Test {
 protected:
  World world;
  Word notification = 0;

  void root_sleeps() {
    if (notification == 0) notification = world.make(ObjectType::kNotification);
    world.syscall(Syscall::kWait, notification, MessageInfo());
  }
  void interrupt_root() {
    send_signal(*world.slot(notification).cap.object<Notification>(), 1);
    handle_timer();
    ASSERT_EQ(current_thread(), &world.root());
  }
  // Lets the machine run to the deadline the kernel set.
  void run_to_deadline() {
    machine.now = machine.deadline;
    handle_timer();
  }
};

TEST_F(Scheduling, EqualPrioritiesTakeTurnsOfOneSlice) {
  auto a = world.make_thread(100);
  auto b = world.make_thread(100);
  root_sleeps();
  Tcb* first = current_thread();
  Tcb* second = first == a.tcb ? b.tcb : a.tcb;
  const Ticks start = machine.now;
  run_to_deadline();
  EXPECT_EQ(current_thread(), second);
  EXPECT_EQ(machine.now - start, 5000 * testing::kTicksPerUs);
  run_to_deadline();
  EXPECT_EQ(current_thread(), first);
}

TEST_F(Scheduling, BudgetIsEnforcedInEveryPeriod) {
  auto limited = world.make_thread(200);
  auto other = world.make_thread(100);
  ASSERT_EQ(world.configure(limited.context_slot, 1000, 10000, 0), Error::kNone);
  root_sleeps();
  ASSERT_EQ(current_thread(), limited.tcb);
  Ticks ran = 0;
  const Ticks begin = machine.now;
  const Ticks end = begin + 100 * 1000 * testing::kTicksPerUs;
  while (machine.now < end) {
    const Ticks before = machine.now;
    Tcb* running = current_thread();
    run_to_deadline();
    if (running == limited.tcb) ran += machine.now - before;
  }
  const Ticks budget = 1000 * testing::kTicksPerUs;
  EXPECT_LE(ran, 11 * budget);
  EXPECT_GE(ran, 9 * budget);
  EXPECT_TRUE(other.tcb->runnable());
}

TEST_F(Scheduling, TimeoutFaultTellsBadgeAndTimeUsed) {
  const Word ep = world.make(ObjectType::kEndpoint);
  const Word reply = world.make(ObjectType::kReply);
  auto limited = world.make_thread(200);
  ASSERT_EQ(world.configure(limited.context_slot, 1000, 10000, 0), Error::kNone);
  ASSERT_EQ(world.invoke(limited.tcb_slot, Label::kTcbSetTimeoutEndpoint, {}, {ep}), Error::kNone);
  root_sleeps();
  ASSERT_EQ(current_thread(), limited.tcb);
  run_to_deadline();
  ASSERT_EQ(current_thread(), nullptr);
  interrupt_root();
  auto m = world.syscall(Syscall::kRecv, ep, MessageInfo(), {}, reply);
  EXPECT_EQ(m.info, MessageInfo(static_cast<Word>(abi::FaultKind::kTimeout), 0, 0, 2));
  EXPECT_EQ(m.words[abi::timeout_fault::kData], 0x77u);
  EXPECT_EQ(m.words[abi::timeout_fault::kConsumed], 1000u);
}

TEST_F(Scheduling, YieldGivesTheRestOfThePeriodAway) {
  auto limited = world.make_thread(200);
  ASSERT_EQ(world.configure(limited.context_slot, 1000, 10000, 0), Error::kNone);
  root_sleeps();
  ASSERT_EQ(current_thread(), limited.tcb);
  const Ticks start = machine.now;
  world.syscall(Syscall::kYield, 0, MessageInfo());
  EXPECT_EQ(current_thread(), nullptr);
  run_to_deadline();
  EXPECT_EQ(current_thread(), limited.tcb);
  EXPECT_GE(machine.now - start + scheduler().slack, 10000 * testing::kTicksPerUs);
}

TEST_F(Scheduling, TimeLentThroughAChainComesBackStepByStep) {
  const Word ep1 = world.make(ObjectType::kEndpoint);
  const Word ep2 = world.make(ObjectType::kEndpoint);
  const Word r1 = world.make(ObjectType::kReply);
  const Word r2 = world.make(ObjectType::kReply);
  auto back = world.make_thread(202);
  auto middle = world.make_thread(201);
  auto client = world.make_thread(100);
  root_sleeps();
  world.syscall(Syscall::kRecv, ep2, MessageInfo(), {}, r2);
  world.syscall(Syscall::kRecv, ep1, MessageInfo(), {}, r1);
  ASSERT_EQ(current_thread(), client.tcb);
  for (auto& t : {back, middle}) {
    ASSERT_EQ(world.invoke(t.context_slot, Label::kSchedContextUnbind, {}), Error::kNone);
  }
  SchedContext* time = client.tcb->sched_context;
  world.syscall(Syscall::kCall, ep1, MessageInfo());
  ASSERT_EQ(current_thread(), middle.tcb);
  world.syscall(Syscall::kCall, ep2, MessageInfo());
  ASSERT_EQ(current_thread(), back.tcb);
  EXPECT_EQ(time->tcb, back.tcb);
  // The client is stopped: the chain goes on without it, and its time stays with the servers.
  ASSERT_EQ(world.invoke(client.tcb_slot, Label::kTcbSuspend, {}), Error::kNone);
  EXPECT_EQ(world.slot(r1).cap.object<Reply>()->tcb, nullptr);
  world.syscall(Syscall::kReplyRecv, ep2, MessageInfo(), {}, r2);
  EXPECT_EQ(current_thread(), middle.tcb);
  EXPECT_EQ(time->tcb, middle.tcb);
  EXPECT_EQ(time->reply, nullptr);
}

TEST_F(Scheduling, ConfigureRefusesWhatItCannotKeep) {
  const Word sc = world.make(ObjectType::kSchedContext, abi::kMinSchedContextBits);
  EXPECT_EQ(world.configure(sc, kMinBudgetUs - 1, 1000), Error::kRangeError);
  EXPECT_EQ(world.configure(sc, 2000, 1000), Error::kRangeError);
  EXPECT_EQ(world.last_reply(world.root()).words[1], 1000u);
  EXPECT_EQ(world.configure(sc, 100, ~Word{0}), Error::kRangeError);
  EXPECT_EQ(world.configure(sc, 100, 1000, 1), Error::kRangeError);  // no room for a third refill
  EXPECT_EQ(world.configure(sc, 100, 1000), Error::kNone);
  EXPECT_EQ(world.configure(World::kTcbSlot, 100, 1000), Error::kInvalidCapability);
}

TEST_F(Scheduling, PriorityIsBoundedByTheAuthority) {
  auto weak = world.make_thread(100);
  ASSERT_EQ(world.invoke(weak.tcb_slot, Label::kTcbSetMCPriority, {120}, {World::kTcbSlot}),
            Error::kNone);
  EXPECT_EQ(world.invoke(weak.tcb_slot, Label::kTcbSetPriority, {121}, {weak.tcb_slot}),
            Error::kRangeError);
  EXPECT_EQ(world.last_reply(world.root()).words[1], 120u);
  EXPECT_EQ(world.invoke(weak.tcb_slot, Label::kTcbSetPriority, {120}, {weak.tcb_slot}),
            Error::kNone);
}

}  // namespace
}  // namespace lona::kernel
