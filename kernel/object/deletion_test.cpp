// SPDX-License-Identifier: BSD-2-Clause
#include <gtest/gtest.h>

#include <random>

#include "kernel/testing/world.hpp"

namespace lona::kernel {
namespace {

using abi::Error;
using abi::Label;
using abi::ObjectType;
using testing::machine;
using testing::World;

class Deletion : public ::testing::Test {
 protected:
  World world;

  // A CNode whose slots are addressed with 64 bits from its own cap.
  Word make_cnode(unsigned radix) {
    const Word at = world.make(ObjectType::kCNode, radix);
    const Word guarded = world.new_slot();
    EXPECT_EQ(world.invoke(World::kCNodeSlot, Label::kCNodeMutate,
                           {guarded, 64, at, 64, abi::CNodeData(0, 64 - radix).raw()},
                           {World::kCNodeSlot}),
              Error::kNone);
    return guarded;
  }
  Error move_into(Word cnode, Word index, Word from) {
    return world.invoke(cnode, Label::kCNodeMove, {index, 64, from, 64}, {World::kCNodeSlot});
  }
  Error copy_into(Word cnode, Word index, Word from) {
    return world.invoke(cnode, Label::kCNodeCopy, {index, 64, from, 64, 15}, {World::kCNodeSlot});
  }
  // Nothing of the untyped memory is in use: all of it can be had as one object.
  void expect_all_memory_back() {
    ASSERT_EQ(world.revoke(World::kUntypedSlot), Error::kNone);
    ASSERT_FALSE(has_children(world.slot(World::kUntypedSlot)));
    const Word all = world.make(ObjectType::kUntyped, 22);
    ASSERT_EQ(world.remove(all), Error::kNone);
  }
};

TEST_F(Deletion, LastCapToACNodeEmptiesIt) {
  const Word cnode = make_cnode(4);
  const Word ep = world.make(ObjectType::kEndpoint);
  for (Word i = 0; i < 16; ++i) ASSERT_EQ(copy_into(cnode, i, ep), Error::kNone);
  Slot* inside = world.slot(cnode).cap.object<Slot>();
  ASSERT_EQ(world.remove(cnode), Error::kNone);
  for (int i = 0; i < 16; ++i) EXPECT_TRUE(inside[i].empty());
  EXPECT_FALSE(has_children(world.slot(ep)));
}

TEST_F(Deletion, CNodesHoldingEachOtherGoWithTheirMemory) {
  machine.interrupt_every = 1;
  const Word a = make_cnode(4);
  const Word b = make_cnode(5);
  const Word ep = world.make(ObjectType::kEndpoint);
  for (Word i = 0; i < 8; ++i) ASSERT_EQ(copy_into(a, i, ep), Error::kNone);
  for (Word i = 0; i < 8; ++i) ASSERT_EQ(copy_into(b, i, ep), Error::kNone);
  ASSERT_EQ(copy_into(b, 9, a), Error::kNone);
  ASSERT_EQ(move_into(a, 9, b), Error::kNone);  // a holds b, b holds a copy of a
  ASSERT_EQ(world.remove(a), Error::kNone);
  world.check_invariants();
  expect_all_memory_back();
}

TEST_F(Deletion, RandomNestsOfContainersAlwaysEnd) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    std::mt19937 random(seed);
    machine.interrupt_every = 1 + random() % 3;
    std::vector<Word> containers;
    for (int i = 0; i < 6; ++i) containers.push_back(make_cnode(3));
    const Word tcb = world.make(ObjectType::kTcb);
    ASSERT_EQ(world.invoke(tcb, Label::kTcbConfigure, {0, 0, 0},
                           {containers[0], World::kVSpaceSlot, World::kBufferSlot}),
              Error::kNone);
    // Copies everywhere; then the originals move into containers, so only cycles keep them.
    for (int i = 0; i < 12; ++i) {
      copy_into(containers[random() % 6], random() % 8, containers[random() % 6]);
      copy_into(containers[random() % 6], random() % 8, tcb);
    }
    for (Word c : containers) {
      const Word into = containers[random() % 6];
      if (into != c) move_into(into, random() % 8, c);
    }
    move_into(containers[random() % 6], 0, tcb);
    for (Word c : containers) {
      if (random() % 2) ASSERT_EQ(world.remove(c), Error::kNone);
    }
    ASSERT_NO_FATAL_FAILURE(world.check_invariants());
    ASSERT_NO_FATAL_FAILURE(expect_all_memory_back()) << "seed " << seed;
    for (Word c : containers) EXPECT_TRUE(world.slot(c).empty());
  }
}

TEST_F(Deletion, ThreadThatDeletesItselfStopsAndOthersGoOn) {
  auto other = world.make_thread(100);
  auto suicide = world.make_thread(200);
  const Word n = world.make(ObjectType::kNotification);
  world.syscall(abi::Syscall::kWait, n, abi::MessageInfo());
  ASSERT_EQ(current_thread(), suicide.tcb);
  world.invoke(World::kCNodeSlot, Label::kCNodeDelete, {suicide.tcb_slot, 64});
  EXPECT_EQ(current_thread(), other.tcb);
  EXPECT_TRUE(world.slot(suicide.tcb_slot).empty());
  world.check_invariants();
}

TEST_F(Deletion, ObjectsForgetEachOther) {
  auto thread = world.make_thread(100);
  const Word n = world.make(ObjectType::kNotification);
  ASSERT_EQ(world.invoke(thread.tcb_slot, Label::kTcbBindNotification, {}, {n}), Error::kNone);
  auto* tcb = thread.tcb;
  ASSERT_EQ(world.remove(n), Error::kNone);
  EXPECT_EQ(tcb->bound_notification, nullptr);
  auto* context = world.slot(thread.context_slot).cap.object<SchedContext>();
  ASSERT_EQ(context->tcb, tcb);
  ASSERT_EQ(world.remove(thread.context_slot), Error::kNone);
  EXPECT_EQ(tcb->sched_context, nullptr);
  ASSERT_EQ(world.remove(thread.tcb_slot), Error::kNone);
  world.check_invariants();
}

}  // namespace
}  // namespace lona::kernel
