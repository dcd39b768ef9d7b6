// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/object/untyped.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "kernel/testing/world.hpp"

namespace lona::kernel {
namespace {

using abi::Error;
using abi::Label;
using abi::ObjectType;
using testing::machine;
using testing::World;

class Untyped : public ::testing::Test {
 protected:
  World world;
  Error retype(Word untyped, ObjectType type, Word bits, Word offset, Word count, Word index = 0,
               Word depth = 0) {
    return world.invoke_until_done(untyped, Label::kUntypedRetype,
                                   {static_cast<Word>(type), bits, index, depth, offset, count},
                                   {World::kCNodeSlot});
  }
  Word reply_word(unsigned i) { return world.last_reply(world.root()).words[i]; }
};

TEST_F(Untyped, RefusesWhatTheManualSays) {
  const Word u = World::kUntypedSlot;
  EXPECT_EQ(retype(u, static_cast<ObjectType>(15), 0, 100, 1), Error::kInvalidArgument);
  EXPECT_EQ(reply_word(0), 0u);
  EXPECT_EQ(retype(u, ObjectType::kCNode, 0, 100, 1), Error::kInvalidArgument);
  EXPECT_EQ(reply_word(0), 1u);
  EXPECT_EQ(retype(u, ObjectType::kUntyped, 3, 100, 1), Error::kInvalidArgument);
  EXPECT_EQ(retype(u, ObjectType::kSchedContext, 6, 100, 1), Error::kInvalidArgument);
  EXPECT_EQ(retype(u, ObjectType::kCNode, 60, 100, 1), Error::kRangeError);
  EXPECT_EQ(reply_word(1), abi::kMaxUntypedBits);
  EXPECT_EQ(retype(u, ObjectType::kEndpoint, 0, 100, 257), Error::kRangeError);
  EXPECT_EQ(reply_word(1), 256u);
  EXPECT_EQ(retype(u, ObjectType::kEndpoint, 0, 100, 0), Error::kRangeError);
  EXPECT_EQ(retype(u, ObjectType::kEndpoint, 0, 1 << 12, 1), Error::kRangeError);
  EXPECT_EQ(retype(u, ObjectType::kEndpoint, 0, (1 << 12) - 2, 3), Error::kRangeError);
  EXPECT_EQ(reply_word(1), 2u);
  EXPECT_EQ(retype(u, ObjectType::kEndpoint, 0, World::kTcbSlot, 1), Error::kDeleteFirst);
  EXPECT_EQ(retype(u, ObjectType::kEndpoint, 0, 100, 1, World::kTcbSlot, 64), Error::kFailedLookup);
  EXPECT_EQ(retype(u, ObjectType::kUntyped, 23, 100, 1), Error::kNotEnoughMemory);
  EXPECT_EQ(reply_word(0), Word{1} << 22);
  EXPECT_EQ(world.invoke(u, Label::kUntypedRetype, {1, 2, 3}, {World::kCNodeSlot}),
            Error::kTruncatedMessage);
  EXPECT_EQ(world.invoke(u, Label::kCNodeCopy, {}), Error::kIllegalOperation);
}

TEST_F(Untyped, DeviceMemoryGivesFramesAndUntypedOnly) {
  const Word device = 200;
  place_cap(world.slot(device), Cap::untyped(0x10'0000'0000, 20, true));
  EXPECT_EQ(retype(device, ObjectType::kEndpoint, 0, 300, 1), Error::kInvalidArgument);
  EXPECT_EQ(retype(device, ObjectType::kPage4K, 0, 300, 1), Error::kNone);  // memory untouched
  EXPECT_TRUE(world.slot(300).cap.page_is_device());
  EXPECT_EQ(retype(device, ObjectType::kUntyped, 16, 301, 1), Error::kNone);
  EXPECT_TRUE(world.slot(301).cap.untyped_is_device());
}

// Objects never overlap, lie inside their untyped, are aligned, and are zero when they are made.
void make_random_objects(World& world, Word untyped, Word size) {
  std::mt19937 random(9);
  machine.interrupt_every = 3;
  for (int round = 0; round < 30; ++round) {
    struct Range {
      PhysAddr start;
      Word bytes;
    };
    std::vector<Range> ranges;
    Word next = 512;
    const PhysAddr base = world.slot(untyped).cap.paddr();
    for (int i = 0; i < 60 && next < 3500; ++i) {
      const ObjectType types[] = {ObjectType::kEndpoint, ObjectType::kNotification,
                                  ObjectType::kCNode, ObjectType::kPage4K, ObjectType::kReply};
      const ObjectType type = types[random() % 5];
      const Word bits = 1 + random() % 14;
      const Word count = 1 + random() % 5;
      const Error error = world.invoke_until_done(
          untyped, Label::kUntypedRetype, {static_cast<Word>(type), bits, 0, 0, next, count},
          {World::kCNodeSlot});
      if (error == Error::kNotEnoughMemory) continue;
      ASSERT_EQ(error, Error::kNone);
      for (Word k = 0; k < count; ++k) {
        const Cap& cap = world.slot(next + k).cap;
        const Word bytes = object_bytes(cap);
        ASSERT_EQ(cap.paddr() % bytes, 0u);
        ASSERT_GE(cap.paddr(), base);
        ASSERT_LE(cap.paddr() + bytes, base + size);
        for (auto& r : ranges) {
          ASSERT_TRUE(cap.paddr() + bytes <= r.start || r.start + r.bytes <= cap.paddr());
        }
        auto* memory = cap.object<unsigned char>();
        for (Word b = 0; b < bytes; ++b) ASSERT_EQ(memory[b], 0u);
        ranges.push_back({cap.paddr(), bytes});
        // Pages belong to the user, who writes into them.
        if (cap.is(CapType::kPage)) std::fill(memory, memory + bytes, 0x5a);
      }
      next += count;
    }
    ASSERT_EQ(world.revoke(untyped), Error::kNone);
    for (Word s = 512; s < next; ++s) ASSERT_TRUE(world.slot(s).empty());
  }
}

TEST_F(Untyped, RandomRetypesGiveDisjointZeroedObjects) {
  make_random_objects(world, World::kUntypedSlot, Word{1} << 22);
}

// The memory of the world is not zero at first, so that what is made of it must be zeroed once, and
// again when it comes back.
TEST_F(Untyped, RandomRetypesOfACleanUntypedGiveDisjointZeroedObjects) {
  std::memset(world.slot(World::kUntypedSlot).cap.object<void>(), 0xa5, Word{1} << 22);
  ASSERT_EQ(retype(World::kUntypedSlot, ObjectType::kUntyped, 20, 100, 1), Error::kNone);
  ASSERT_TRUE(world.slot(100).cap.untyped_is_clean());
  make_random_objects(world, 100, Word{1} << 20);
}

TEST_F(Untyped, ACopyOfUsedMemoryDoesNotCountAsZero) {
  std::memset(world.slot(World::kUntypedSlot).cap.object<void>(), 0xa5, Word{1} << 22);
  ASSERT_EQ(retype(World::kUntypedSlot, ObjectType::kUntyped, 16, 100, 1), Error::kNone);
  ASSERT_EQ(retype(100, ObjectType::kPage4K, 0, 101, 1), Error::kNone);
  std::memset(world.slot(101).cap.object<void>(), 0x5a, 4096);
  ASSERT_EQ(world.remove(101), Error::kNone);
  ASSERT_EQ(world.copy(100, 102), Error::kNone);
  ASSERT_EQ(retype(102, ObjectType::kPage4K, 0, 101, 1), Error::kNone);
  EXPECT_EQ(world.slot(101).cap.object<unsigned char>()[0], 0u);
}

TEST_F(Untyped, AnInterruptedRetypeMakesProgress) {
  machine.interrupt_every = 1;  // at every single preemption point
  EXPECT_EQ(retype(World::kUntypedSlot, ObjectType::kCNode, 16, 100, 1), Error::kNone);
  EXPECT_GT(machine.preemption_points, 10u);
}

TEST_F(Untyped, ACopyOwnsTheMemoryUntilItIsGone) {
  const Word copy = world.new_slot();
  ASSERT_EQ(world.copy(World::kUntypedSlot, copy), Error::kNone);
  EXPECT_EQ(retype(World::kUntypedSlot, ObjectType::kEndpoint, 0, 100, 1), Error::kNotEnoughMemory);
  EXPECT_EQ(retype(copy, ObjectType::kEndpoint, 0, 100, 1), Error::kNone);
  const Word again = world.new_slot();
  EXPECT_EQ(world.copy(copy, again), Error::kRevokeFirst);
  ASSERT_EQ(world.remove(copy), Error::kNone);
  EXPECT_EQ(retype(World::kUntypedSlot, ObjectType::kEndpoint, 0, 101, 1),
            Error::kNotEnoughMemory);  // the endpoint lives on
  ASSERT_EQ(world.remove(100), Error::kNone);
  EXPECT_EQ(retype(World::kUntypedSlot, ObjectType::kEndpoint, 0, 101, 1), Error::kNone);
}

}  // namespace
}  // namespace lona::kernel
