// SPDX-License-Identifier: BSD-2-Clause
// What threads on different cores do to each other. The test plays both cores in turn, as the
// kernel lock makes them follow each other on a real machine.
#include <gtest/gtest.h>

#include "kernel/ipc/ipc.hpp"
#include "kernel/object/thread.hpp"
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

class TwoCores : public ::testing::Test {
 protected:
  World world;

  // A thread with its own context on core 1, which has run its entry there.
  World::Thread thread_on_core_1(unsigned priority) {
    auto t = world.make_thread(priority, true);
    t.context_slot = world.make(ObjectType::kSchedContext, abi::kMinSchedContextBits);
    EXPECT_EQ(world.configure(t.context_slot, 5000, 5000, 0, 1), Error::kNone);
    EXPECT_EQ(world.invoke(t.context_slot, Label::kSchedContextBind, {}, {t.tcb_slot}),
              Error::kNone);
    return t;
  }
  // On core 1: a server without time of its own that is at a call, on the time of its client.
  Word ep, reply;
  World::Thread server, client;
  void client_calls_server() {
    ep = world.make(ObjectType::kEndpoint);
    reply = world.make(ObjectType::kReply);
    server = thread_on_core_1(250);
    client = thread_on_core_1(100);
    core_takes_interrupt(1);
    world.syscall(Syscall::kRecv, ep, MessageInfo(), {}, reply);
    ASSERT_EQ(current_thread(), client.tcb);
    world.on_core(0);
    ASSERT_EQ(world.invoke(server.context_slot, Label::kSchedContextUnbind, {}), Error::kNone);
    world.on_core(1);
    world.syscall(Syscall::kCall, ep, MessageInfo());
    ASSERT_EQ(current_thread(), server.tcb);
  }
  // What a core does when another one has sent it an interrupt.
  void core_takes_interrupt(unsigned core) {
    world.on_core(core);
    cores[core].prodded = false;
    if (cores[core].held) {
      resume_held();
    } else {
      handle_timer();
    }
    machine.prodded = machine.stopped = 0;
  }
};

TEST_F(TwoCores, AThreadRunsOnTheCoreOfItsContext) {
  auto t = thread_on_core_1(100);
  EXPECT_EQ(t.tcb->core, 1);
  EXPECT_EQ(machine.prodded, 2u);  // it was idle
  EXPECT_EQ(current_thread(), &world.root());
  core_takes_interrupt(1);
  EXPECT_EQ(current_thread(), t.tcb);
  world.on_core(0);
  EXPECT_EQ(current_thread(), &world.root());
  world.check_invariants();
}

TEST_F(TwoCores, OnlyAHigherThreadInterruptsAnotherCore) {
  auto first = thread_on_core_1(100);
  core_takes_interrupt(1);
  world.on_core(0);
  auto lower = thread_on_core_1(50);
  EXPECT_EQ(machine.prodded, 0u);
  auto higher = thread_on_core_1(150);
  EXPECT_EQ(machine.prodded, 2u);
  core_takes_interrupt(1);
  EXPECT_EQ(current_thread(), higher.tcb);
  EXPECT_TRUE(first.tcb->in_ready_queue);
  EXPECT_TRUE(lower.tcb->in_ready_queue);
}

TEST_F(TwoCores, AMessageWakesAReceiverOnItsOwnCore) {
  const Word ep = world.make(ObjectType::kEndpoint);
  const Word reply = world.make(ObjectType::kReply);
  auto server = thread_on_core_1(250);
  core_takes_interrupt(1);
  world.syscall(Syscall::kRecv, ep, MessageInfo(), {}, reply);
  ASSERT_EQ(current_thread(), nullptr);
  world.on_core(0);
  world.syscall(Syscall::kCall, ep, MessageInfo(9, 0, 0, 1), {77});
  EXPECT_EQ(current_thread(), nullptr);  // the root waits, and its core with it
  EXPECT_EQ(machine.prodded, 2u);
  core_takes_interrupt(1);
  ASSERT_EQ(current_thread(), server.tcb);
  EXPECT_EQ(world.last_reply(*server.tcb).words[0], 77u);
  world.syscall(Syscall::kReplyRecv, ep, MessageInfo(0, 0, 0, 1), {78}, reply);
  EXPECT_EQ(machine.prodded, 1u);
  core_takes_interrupt(0);
  ASSERT_EQ(current_thread(), &world.root());
  EXPECT_EQ(world.last_reply(world.root()).words[0], 78u);
}

TEST_F(TwoCores, APassiveServerFollowsTheTimeOfItsCaller) {
  const Word ep = world.make(ObjectType::kEndpoint);
  const Word reply = world.make(ObjectType::kReply);
  auto server = thread_on_core_1(250);
  core_takes_interrupt(1);
  world.syscall(Syscall::kRecv, ep, MessageInfo(), {}, reply);
  world.on_core(0);
  ASSERT_EQ(world.invoke(server.context_slot, Label::kSchedContextUnbind, {}), Error::kNone);
  ASSERT_EQ(server.tcb->core, 1);
  world.syscall(Syscall::kCall, ep, MessageInfo());
  EXPECT_EQ(server.tcb->core, 0);
  EXPECT_EQ(current_thread(), server.tcb);
  world.syscall(Syscall::kReplyRecv, ep, MessageInfo(), {}, reply);
  EXPECT_EQ(current_thread(), &world.root());
}

TEST_F(TwoCores, AServerThatTakesUpACallFromElsewhereGoesOnThere) {
  ASSERT_NO_FATAL_FAILURE(client_calls_server());
  // The root calls while the server is busy on the other core.
  world.on_core(0);
  world.syscall(Syscall::kCall, ep, MessageInfo(3, 0, 0, 0));
  ASSERT_EQ(current_thread(), nullptr);
  machine.prodded = 0;
  world.on_core(1);
  world.syscall(Syscall::kReplyRecv, ep, MessageInfo(), {}, reply);
  EXPECT_EQ(current_thread(), client.tcb);
  EXPECT_EQ(server.tcb->core, 0);
  EXPECT_EQ(machine.prodded, 1u);
  core_takes_interrupt(0);
  EXPECT_EQ(current_thread(), server.tcb);
  EXPECT_EQ(world.last_reply(*server.tcb).info.label(), 3u);
  world.check_invariants();
}

TEST_F(TwoCores, ARunningThreadStopsBeforeItIsSuspended) {
  auto t = thread_on_core_1(100);
  core_takes_interrupt(1);
  world.on_core(0);
  ASSERT_EQ(world.invoke(t.tcb_slot, Label::kTcbSuspend, {}), Error::kNone);
  EXPECT_EQ(machine.stopped, 2u);
  EXPECT_TRUE(cores[1].held);
  core_takes_interrupt(1);
  EXPECT_EQ(current_thread(), nullptr);
  world.on_core(0);
  ASSERT_EQ(world.invoke(t.tcb_slot, Label::kTcbResume, {}), Error::kNone);
  EXPECT_EQ(machine.prodded, 2u);
  core_takes_interrupt(1);
  EXPECT_EQ(current_thread(), t.tcb);
}

TEST_F(TwoCores, AHeldSystemCallIsMadeAgainAndOnlyOnce) {
  auto t = thread_on_core_1(100);
  core_takes_interrupt(1);
  // It waits for the lock with a system call at 0x1000.
  t.tcb->context.fault_ip = 0x1000;
  t.tcb->context.rip = 0x1002;
  world.on_core(0);
  ASSERT_EQ(world.invoke(t.tcb_slot, Label::kTcbSetPriority, {90}, {World::kTcbSlot}),
            Error::kNone);
  core_takes_interrupt(1);
  EXPECT_EQ(current_thread(), t.tcb);
  EXPECT_EQ(t.tcb->context.rip, 0x1000u);
}

TEST_F(TwoCores, ADeletedThreadLeavesNothingOnItsCore) {
  auto t = thread_on_core_1(100);
  core_takes_interrupt(1);
  world.on_core(0);
  ASSERT_EQ(world.remove(t.tcb_slot), Error::kNone);
  EXPECT_EQ(machine.stopped, 2u);
  EXPECT_EQ(cores[1].scheduler.current, nullptr);
  core_takes_interrupt(1);
  EXPECT_EQ(current_thread(), nullptr);
  EXPECT_EQ(cores[1].scheduler.current_context, nullptr);
}

TEST_F(TwoCores, ADeletedContextLeavesNothingOnItsCore) {
  auto t = thread_on_core_1(100);
  core_takes_interrupt(1);
  world.on_core(0);
  ASSERT_EQ(world.remove(t.context_slot), Error::kNone);
  EXPECT_EQ(cores[1].scheduler.current_context, nullptr);
  core_takes_interrupt(1);
  EXPECT_EQ(current_thread(), nullptr);
  EXPECT_EQ(t.tcb->sched_context, nullptr);
}

TEST_F(TwoCores, AContextConfiguredForAnotherCoreTakesItsThreadAlong) {
  auto t = thread_on_core_1(100);
  core_takes_interrupt(1);
  world.on_core(0);
  ASSERT_EQ(world.configure(t.context_slot, 5000, 5000, 0, 0), Error::kNone);
  EXPECT_EQ(t.tcb->core, 0);
  EXPECT_TRUE(t.tcb->in_ready_queue);  // the root is above it
  core_takes_interrupt(1);
  EXPECT_EQ(current_thread(), nullptr);
  // The caller's own context: it leaves the core it runs on.
  world.on_core(0);
  ASSERT_EQ(world.configure(World::kContextSlot, 5000, 5000, 0, 1), Error::kNone);
  EXPECT_EQ(current_thread(), t.tcb);
  EXPECT_EQ(machine.prodded, 2u);
  core_takes_interrupt(1);
  EXPECT_EQ(current_thread(), &world.root());
  world.check_invariants();
}

TEST_F(TwoCores, TimeUsedElsewhereIsAccountedWhenItIsAsked) {
  auto t = thread_on_core_1(100);
  core_takes_interrupt(1);
  world.on_core(0);
  world.advance_us(700);
  ASSERT_EQ(world.invoke(t.context_slot, Label::kSchedContextConsumed, {}), Error::kNone);
  EXPECT_EQ(world.last_reply(world.root()).words[0], 700u);
  world.advance_us(300);
  core_takes_interrupt(1);
  EXPECT_EQ(cores[1].scheduler.consumed, 1000 * testing::kTicksPerUs);
  EXPECT_EQ(current_thread(), t.tcb);
}

TEST_F(TwoCores, TakingTheTimeOfARunningThreadStopsIt) {
  ASSERT_NO_FATAL_FAILURE(client_calls_server());
  // The root answers in its place, from the other core: the client's time goes home.
  world.on_core(0);
  world.syscall(Syscall::kSend, reply, MessageInfo());
  EXPECT_EQ(machine.stopped, 2u);
  EXPECT_EQ(server.tcb->sched_context, nullptr);
  core_takes_interrupt(1);
  EXPECT_EQ(current_thread(), client.tcb);
  world.check_invariants();
}

}  // namespace
}  // namespace lona::kernel
