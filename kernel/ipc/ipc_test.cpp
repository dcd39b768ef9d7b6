// SPDX-License-Identifier: BSD-2-Clause
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

class Ipc : public ::testing::Test {
 protected:
  World world;

  // Lets the root wait on a notification so that others run.
  Word sleep_notification = 0;
  void root_sleeps() {
    if (sleep_notification == 0) sleep_notification = world.make(ObjectType::kNotification);
    ASSERT_EQ(current_thread(), &world.root());
    world.syscall(Syscall::kWait, sleep_notification, MessageInfo());
  }
  // From outside: as an interrupt handler's notification would.
  void interrupt_root() {
    send_signal(*world.slot(sleep_notification).cap.object<Notification>(), 1);
    handle_timer();
    ASSERT_EQ(current_thread(), &world.root());
  }
  void wake_root() { world.syscall(Syscall::kSend, sleep_notification, MessageInfo(0, 0, 0, 1)); }
};

TEST_F(Ipc, CallIsAnsweredWithItsMessage) {
  const Word ep = world.make(ObjectType::kEndpoint);
  const Word badged = world.new_slot();
  ASSERT_EQ(world.mint(ep, badged, 42), Error::kNone);
  const Word reply = world.make(ObjectType::kReply);
  auto server = world.make_thread(200);
  auto client = world.make_thread(100);
  root_sleeps();
  ASSERT_EQ(current_thread(), server.tcb);
  world.syscall(Syscall::kRecv, ep, MessageInfo(), {}, reply);
  ASSERT_EQ(current_thread(), client.tcb);
  world.syscall(Syscall::kCall, badged, MessageInfo(7, 0, 0, 6), {1, 2, 3, 4, 5, 6});
  ASSERT_EQ(current_thread(), server.tcb);
  auto got = world.last_reply(*server.tcb);
  EXPECT_EQ(got.badge, 42u);
  EXPECT_EQ(got.info, MessageInfo(7, 0, 0, 6));
  EXPECT_EQ(got.words[3], 4u);
  EXPECT_EQ(server.buffer->msg[5], 6u);
  EXPECT_EQ(client.tcb->state, ThreadState::kBlockedOnReply);
  world.syscall(Syscall::kReplyRecv, ep, MessageInfo(0, 0, 0, 2), {11, 12}, reply);
  ASSERT_EQ(current_thread(), client.tcb);
  auto answer = world.last_reply(*client.tcb);
  EXPECT_EQ(answer.info.length(), 2u);
  EXPECT_EQ(answer.words[1], 12u);
  EXPECT_EQ(answer.badge, 0u);
  world.check_invariants();
}

TEST_F(Ipc, PassiveServerRunsOnTheCallersTimeAndGivesItBack) {
  const Word ep = world.make(ObjectType::kEndpoint);
  const Word reply = world.make(ObjectType::kReply);
  auto server = world.make_thread(200);
  auto client = world.make_thread(100);
  root_sleeps();
  world.syscall(Syscall::kRecv, ep, MessageInfo(), {}, reply);
  SchedContext* own = server.tcb->sched_context;
  ASSERT_EQ(current_thread(), client.tcb);
  ASSERT_EQ(world.invoke(server.context_slot, Label::kSchedContextUnbind, {}), Error::kNone);
  EXPECT_EQ(server.tcb->sched_context, nullptr);
  EXPECT_EQ(own->tcb, nullptr);
  SchedContext* clients = client.tcb->sched_context;
  world.syscall(Syscall::kCall, ep, MessageInfo(1, 0, 0, 1), {9});
  ASSERT_EQ(current_thread(), server.tcb);
  EXPECT_EQ(server.tcb->sched_context, clients);
  EXPECT_EQ(client.tcb->sched_context, nullptr);
  world.syscall(Syscall::kReplyRecv, ep, MessageInfo(0, 0, 0, 0), {}, reply);
  ASSERT_EQ(current_thread(), client.tcb);
  EXPECT_EQ(client.tcb->sched_context, clients);
  EXPECT_EQ(server.tcb->sched_context, nullptr);
  EXPECT_EQ(clients->reply, nullptr);
}

TEST_F(Ipc, DeletingTheReplyReturnsTheTimeAndStopsTheCaller) {
  const Word ep = world.make(ObjectType::kEndpoint);
  const Word reply = world.make(ObjectType::kReply);
  auto server = world.make_thread(200, true);
  auto client = world.make_thread(100);
  // A passive server gets to its first Recv on borrowed time.
  auto helper_sc = world.make(ObjectType::kSchedContext, 7);
  ASSERT_EQ(world.configure(helper_sc, 1000, 1000), Error::kNone);
  ASSERT_EQ(world.invoke(helper_sc, Label::kSchedContextBind, {}, {server.tcb_slot}), Error::kNone);
  root_sleeps();
  ASSERT_EQ(current_thread(), server.tcb);
  world.syscall(Syscall::kRecv, ep, MessageInfo(), {}, reply);
  ASSERT_EQ(current_thread(), client.tcb);
  ASSERT_EQ(world.invoke(helper_sc, Label::kSchedContextUnbind, {}), Error::kNone);
  SchedContext* clients = client.tcb->sched_context;
  world.syscall(Syscall::kCall, ep, MessageInfo());
  ASSERT_EQ(current_thread(), server.tcb);
  world.remove(reply);
  EXPECT_EQ(clients->tcb, client.tcb);
  EXPECT_EQ(client.tcb->state, ThreadState::kInactive);
  EXPECT_EQ(server.tcb->sched_context, nullptr);
  EXPECT_EQ(current_thread(), nullptr);  // nobody has time
}

TEST_F(Ipc, SendersAreServedByPriorityThenArrival) {
  const Word ep = world.make(ObjectType::kEndpoint);
  auto low = world.make_thread(50);
  auto high2 = world.make_thread(60);
  auto high1 = world.make_thread(60);  // woken last, runs first
  root_sleeps();
  ASSERT_EQ(current_thread(), high1.tcb);
  world.syscall(Syscall::kSend, ep, MessageInfo(1, 0, 0, 0));
  ASSERT_EQ(current_thread(), high2.tcb);
  world.syscall(Syscall::kSend, ep, MessageInfo(2, 0, 0, 0));
  ASSERT_EQ(current_thread(), low.tcb);
  wake_root();
  ASSERT_EQ(current_thread(), &world.root());
  // `low` is made to send last and still waits behind both.
  root_sleeps();
  ASSERT_EQ(current_thread(), low.tcb);
  world.syscall(Syscall::kNBSend, ep, MessageInfo(9, 0, 0, 0));  // nobody receives: lost
  wake_root();
  for (Word expected : {1u, 2u}) {
    auto m = world.syscall(Syscall::kWait, ep, MessageInfo());
    EXPECT_EQ(m.info.label(), expected);
  }
  auto empty = world.syscall(Syscall::kNBWait, ep, MessageInfo());
  EXPECT_EQ(empty.badge, 0u);
}

TEST_F(Ipc, CapsAreCopiedUnwrappedOrLeftOut) {
  const Word ep = world.make(ObjectType::kEndpoint);
  const Word badged = world.new_slot();
  ASSERT_EQ(world.mint(ep, badged, 5), Error::kNone);
  const Word gift = world.make(ObjectType::kNotification);
  const Word into = world.new_slot();
  auto receiver = world.make_thread(200);
  receiver.buffer->receive_cnode = World::kCNodeSlot;
  receiver.buffer->receive_index = into;
  receiver.buffer->receive_depth = 64;
  root_sleeps();
  world.syscall(Syscall::kWait, ep, MessageInfo());
  interrupt_root();
  Word* caps = world.root_buffer().caps_or_badges;
  caps[0] = badged;
  caps[1] = gift;
  caps[2] = gift;  // only one slot to receive
  world.syscall(Syscall::kSend, ep, MessageInfo(3, 0, 3, 0));
  auto got = world.last_reply(*receiver.tcb);
  EXPECT_EQ(got.info, MessageInfo(3, 1, 2, 0));
  EXPECT_EQ(receiver.buffer->caps_or_badges[0], 5u);
  EXPECT_TRUE(world.slot(into).cap.is(CapType::kNotification));
  EXPECT_TRUE(is_derived_from(world.slot(into), world.slot(gift)));
  // Without the grant right the bare message arrives.
  const Word weak = world.new_slot();
  ASSERT_EQ(world.copy(ep, weak, abi::kReadWrite), Error::kNone);
  ASSERT_EQ(world.remove(into), Error::kNone);
  root_sleeps();
  world.syscall(Syscall::kWait, ep, MessageInfo());
  interrupt_root();
  caps[0] = gift;
  world.syscall(Syscall::kSend, weak, MessageInfo(4, 0, 1, 0));
  EXPECT_EQ(world.last_reply(*receiver.tcb).info, MessageInfo(4, 0, 0, 0));
  EXPECT_TRUE(world.slot(into).empty());
}

TEST_F(Ipc, CallWithoutGrantOrReplyObjectStopsTheCaller) {
  const Word ep = world.make(ObjectType::kEndpoint);
  auto server = world.make_thread(200);
  auto client = world.make_thread(100);
  root_sleeps();
  world.syscall(Syscall::kWait, ep, MessageInfo());  // no reply object
  ASSERT_EQ(current_thread(), client.tcb);
  world.syscall(Syscall::kCall, ep, MessageInfo());
  EXPECT_EQ(current_thread(), server.tcb);
  EXPECT_EQ(client.tcb->state, ThreadState::kInactive);
}

TEST_F(Ipc, FaultReachesTheHandlerAndAZeroLabelRestarts) {
  const Word ep = world.make(ObjectType::kEndpoint);
  const Word reply = world.make(ObjectType::kReply);
  auto faulty = world.make_thread(200);
  ASSERT_EQ(world.invoke(faulty.tcb_slot, Label::kTcbSetSpace, {64 - World::kRootBits, 0},
                         {ep, World::kCNodeSlot, World::kVSpaceSlot}),
            Error::kNone);
  root_sleeps();
  ASSERT_EQ(current_thread(), faulty.tcb);
  faulty.tcb->context.fault_ip = 0x1234;
  faulty.tcb->context.rip = 0x1234;
  handle_vm_fault(0xdead000, 6, false);
  ASSERT_EQ(current_thread(), nullptr);
  interrupt_root();
  auto m = world.syscall(Syscall::kRecv, ep, MessageInfo(), {}, reply);
  EXPECT_EQ(m.info, MessageInfo(static_cast<Word>(abi::FaultKind::kVm), 0, 0, 4));
  EXPECT_EQ(m.words[abi::vm_fault::kIp], 0x1234u);
  EXPECT_EQ(m.words[abi::vm_fault::kAddress], 0xdead000u);
  EXPECT_EQ(m.words[abi::vm_fault::kStatus], 6u);
  world.syscall(Syscall::kSend, reply, MessageInfo(0, 0, 0, 0));
  EXPECT_EQ(faulty.tcb->state, ThreadState::kRunning);
  EXPECT_EQ(faulty.tcb->context.rip, 0x1234u);
}

TEST_F(Ipc, FaultWithoutHandlerStopsTheThread) {
  auto faulty = world.make_thread(200);
  root_sleeps();
  handle_user_exception(0, 0);
  EXPECT_EQ(faulty.tcb->state, ThreadState::kInactive);
  EXPECT_EQ(current_thread(), nullptr);
}

TEST_F(Ipc, LookupFailureIsACapFault) {
  const Word ep = world.make(ObjectType::kEndpoint);
  const Word reply = world.make(ObjectType::kReply);
  auto faulty = world.make_thread(200);
  ASSERT_EQ(world.invoke(faulty.tcb_slot, Label::kTcbSetSpace, {64 - World::kRootBits, 0},
                         {ep, World::kCNodeSlot, World::kVSpaceSlot}),
            Error::kNone);
  root_sleeps();
  const Word wild = Word{1} << 40;
  world.syscall(Syscall::kSend, wild, MessageInfo());
  interrupt_root();
  auto m = world.syscall(Syscall::kRecv, ep, MessageInfo(), {}, reply);
  EXPECT_EQ(m.info.label(), static_cast<Word>(abi::FaultKind::kCap));
  EXPECT_EQ(m.words[abi::cap_fault::kAddress], wild);
  EXPECT_EQ(m.words[abi::cap_fault::kInReceivePhase], 0u);
  EXPECT_EQ(m.words[abi::cap_fault::kLookupFailure],
            static_cast<Word>(abi::LookupFailure::kGuardMismatch));
}

TEST_F(Ipc, SignalsAreCollectedAndABoundThreadGetsThemInRecv) {
  const Word n = world.make(ObjectType::kNotification);
  const Word one = world.new_slot();
  const Word four = world.new_slot();
  ASSERT_EQ(world.mint(n, one, 1), Error::kNone);
  ASSERT_EQ(world.mint(n, four, 4), Error::kNone);
  world.syscall(Syscall::kSend, one, MessageInfo());
  world.syscall(Syscall::kSend, four, MessageInfo());
  EXPECT_EQ(world.syscall(Syscall::kNBWait, n, MessageInfo()).badge, 5u);
  EXPECT_EQ(world.syscall(Syscall::kNBWait, n, MessageInfo()).badge, 0u);

  const Word ep = world.make(ObjectType::kEndpoint);
  auto bound = world.make_thread(200);
  ASSERT_EQ(world.invoke(bound.tcb_slot, Label::kTcbBindNotification, {}, {n}), Error::kNone);
  EXPECT_EQ(world.invoke(bound.tcb_slot, Label::kTcbBindNotification, {}, {n}),
            Error::kIllegalOperation);
  root_sleeps();
  world.syscall(Syscall::kWait, ep, MessageInfo());
  interrupt_root();
  world.syscall(Syscall::kSend, four, MessageInfo());
  EXPECT_EQ(bound.tcb->state, ThreadState::kRunning);
  EXPECT_EQ(world.last_reply(*bound.tcb).badge, 4u);
}

TEST_F(Ipc, CancelBadgedSendsRestartsOnlyThatBadge) {
  const Word ep = world.make(ObjectType::kEndpoint);
  const Word a = world.new_slot();
  const Word b = world.new_slot();
  ASSERT_EQ(world.mint(ep, a, 1), Error::kNone);
  ASSERT_EQ(world.mint(ep, b, 2), Error::kNone);
  auto t1 = world.make_thread(200);
  auto t2 = world.make_thread(199);
  root_sleeps();
  world.syscall(Syscall::kSend, a, MessageInfo());
  ASSERT_EQ(current_thread(), t2.tcb);
  world.syscall(Syscall::kSend, b, MessageInfo());
  interrupt_root();
  ASSERT_EQ(world.invoke(World::kCNodeSlot, Label::kCNodeCancelBadgedSends, {a, 64}), Error::kNone);
  EXPECT_EQ(t1.tcb->state, ThreadState::kRunning);
  EXPECT_EQ(t1.tcb->context.rip, t1.tcb->context.fault_ip);
  EXPECT_EQ(t2.tcb->state, ThreadState::kBlockedOnSend);
  ASSERT_EQ(world.remove(a), Error::kNone);
  ASSERT_EQ(world.remove(b), Error::kNone);
  ASSERT_EQ(world.remove(ep), Error::kNone);
  EXPECT_EQ(t2.tcb->state, ThreadState::kRunning);
}

// Many wait, and each preemption point finds an interrupt.
class LongQueues : public Ipc {
 protected:
  static constexpr unsigned kCount = 120;
  std::vector<World::Thread> threads;
  Word endpoint = world.make(ObjectType::kEndpoint);

  // Every other thread sends with the badge 2, the rest with 1.
  void all_call() {
    const Word first = world.new_slot(), second = world.new_slot();
    ASSERT_EQ(world.mint(endpoint, first, 1), Error::kNone);
    ASSERT_EQ(world.mint(endpoint, second, 2), Error::kNone);
    badges_[0] = first;
    badges_[1] = second;
    for (unsigned i = 0; i < kCount; ++i) threads.push_back(world.make_thread(100));
    root_sleeps();
    for (unsigned i = kCount; i-- > 0;) {  // the last one made goes first
      ASSERT_EQ(current_thread(), threads[i].tcb);
      world.syscall(Syscall::kCall, badges_[i % 2], MessageInfo());
    }
    interrupt_root();
    machine.interrupt_every = 1;
    machine.preemption_points = 0;
  }
  void expect_states(ThreadState even, ThreadState odd) {
    for (unsigned i = 0; i < kCount; ++i) {
      EXPECT_EQ(threads[i].tcb->state, i % 2 == 0 ? even : odd) << "thread " << i;
    }
  }
  Word badges_[2] = {};
};

TEST_F(LongQueues, AnEndpointEndsInSteps) {
  all_call();
  ASSERT_EQ(world.revoke(endpoint), Error::kNone);
  EXPECT_EQ(machine.preemption_points, 0u) << "nothing ends with the badges";
  ASSERT_EQ(world.remove(endpoint), Error::kNone);
  EXPECT_GT(machine.preemption_points, 2u);
  expect_states(ThreadState::kRunning, ThreadState::kRunning);
  world.check_invariants();
}

TEST_F(LongQueues, SendsOfABadgeAreCancelledInStepsAndOthersStay) {
  all_call();
  ASSERT_EQ(
      world.invoke_until_done(World::kCNodeSlot, Label::kCNodeCancelBadgedSends, {badges_[1], 64}),
      Error::kNone);
  EXPECT_GT(machine.preemption_points, 1u);
  expect_states(ThreadState::kBlockedOnSend, ThreadState::kRunning);
}

TEST_F(LongQueues, ASearchForABadgeOutlivesItsNextThread) {
  all_call();
  // The first round ends in the middle; what it would have looked at next goes away.
  Endpoint& object = *world.slot(endpoint).cap.object<Endpoint>();
  ASSERT_EQ(cancel_badged_sends(object, 2), Progress::kPreempted);
  for (unsigned i = 10; i < kCount; ++i) {
    ASSERT_EQ(world.invoke(threads[i].tcb_slot, Label::kTcbSuspend, {}), Error::kNone);
  }
  while (cancel_badged_sends(object, 2) == Progress::kPreempted) world.check_invariants();
  for (unsigned i = 0; i < 10; ++i) {
    EXPECT_EQ(threads[i].tcb->state,
              i % 2 == 0 ? ThreadState::kBlockedOnSend : ThreadState::kRunning);
  }
}

TEST_F(LongQueues, ANotificationEndsInSteps) {
  const Word notification = world.make(ObjectType::kNotification);
  for (unsigned i = 0; i < kCount; ++i) threads.push_back(world.make_thread(100));
  root_sleeps();
  for (unsigned i = 0; i < kCount; ++i) {
    world.syscall(Syscall::kWait, notification, MessageInfo());
  }
  interrupt_root();
  machine.interrupt_every = 1;
  machine.preemption_points = 0;
  ASSERT_EQ(world.remove(notification), Error::kNone);
  EXPECT_GT(machine.preemption_points, 2u);
  expect_states(ThreadState::kRunning, ThreadState::kRunning);
}

}  // namespace
}  // namespace lona::kernel
