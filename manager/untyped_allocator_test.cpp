// SPDX-License-Identifier: BSD-2-Clause
#include "manager/untyped_allocator.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <set>
#include <vector>

namespace lona::manager {
namespace {

// What the kernel would allow: an untyped is retyped into what fits behind what was made of it,
// from the start when it has no children; an untyped with children is not deleted.
class ModelKernel final : public KernelObjects {
 public:
  void add(abi::CPtr slot, unsigned size_bits) {
    caps_[slot] = {.size_bits = size_bits, .parent = 0};
  }

  abi::Error retype(abi::CPtr untyped, abi::ObjectType type, unsigned size_bits,
                    abi::CPtr first_slot, std::uint64_t count) override {
    ++calls_;
    if (refuse_next_) {
      refuse_next_ = false;
      return abi::Error::kNotEnoughMemory;
    }
    EXPECT_TRUE(caps_.contains(untyped));
    EXPECT_EQ(type, abi::ObjectType::kUntyped);
    Cap& cap = caps_[untyped];
    const std::uint64_t before = children(untyped) == 0 ? 0 : cap.used;
    cap.used = before + (count << size_bits);
    EXPECT_EQ(before % (std::uint64_t{1} << size_bits), 0U);
    EXPECT_LE(cap.used, std::uint64_t{1} << cap.size_bits);
    for (std::uint64_t at = 0; at < count; ++at) {
      EXPECT_FALSE(caps_.contains(first_slot + at)) << "slot is taken";
      caps_[first_slot + at] = {.size_bits = size_bits, .parent = untyped};
    }
    return abi::Error::kNone;
  }

  abi::Error remove(abi::CPtr slot) override {
    EXPECT_TRUE(caps_.contains(slot));
    EXPECT_EQ(children(slot), 0U);
    caps_.erase(slot);
    return abi::Error::kNone;
  }

  void refuse_next() { refuse_next_ = true; }
  [[nodiscard]] std::size_t caps() const { return caps_.size(); }
  [[nodiscard]] std::size_t retypes() const { return calls_; }

 private:
  struct Cap {
    unsigned size_bits;
    abi::CPtr parent;
    std::uint64_t used = 0;
  };
  [[nodiscard]] std::size_t children(abi::CPtr slot) const {
    std::size_t count = 0;
    for (const auto& [key, cap] : caps_) {
      count += cap.parent == slot ? 1 : 0;
    }
    return count;
  }
  std::map<abi::CPtr, Cap> caps_;
  bool refuse_next_ = false;
  std::size_t calls_ = 0;
};

class UntypedTest : public testing::Test {
 protected:
  UntypedTest() {
    EXPECT_TRUE(slots.add(1000, 4096));
    for (const unsigned bits : {20U, 16U, 24U}) {
      kernel.add(next_, bits);
      EXPECT_TRUE(allocator->add(next_++, bits));
    }
  }

  ModelKernel kernel;
  std::vector<SlotAllocator::Page> pages{4};
  std::vector<UntypedAllocator::Block> blocks{8192};
  SlotAllocator slots{pages};
  std::unique_ptr<UntypedAllocator> allocator =
      std::make_unique<UntypedAllocator>(kernel, slots, blocks);

 private:
  abi::CPtr next_ = 1;
};

TEST_F(UntypedTest, TakesTheSmallestBlockThatIsLargeEnough) {
  const auto block = allocator->take(16);
  ASSERT_TRUE(block.has_value());
  EXPECT_EQ(allocator->slot(*block), 2U);
  EXPECT_EQ(allocator->free_bytes(), (1U << 20) + (1U << 24));
}

TEST_F(UntypedTest, GivingBackLeavesNoTrace) {
  const auto free = allocator->free_bytes();
  const auto free_slots = slots.free_slots();
  const auto block = allocator->take(12);
  ASSERT_TRUE(block.has_value());
  EXPECT_EQ(allocator->size_bits(*block), 12U);
  EXPECT_EQ(allocator->free_bytes(), free - 4096);
  EXPECT_LT(slots.free_slots(), free_slots);
  allocator->give(*block);
  EXPECT_EQ(allocator->free_bytes(), free);
  EXPECT_EQ(slots.free_slots(), free_slots);
  EXPECT_EQ(kernel.caps(), 3U);
}

TEST_F(UntypedTest, PagesOfASmallBlockAreMadeInOneCall) {
  std::vector<BlockId> pages;
  for (int page = 0; page < 16; ++page) {
    const auto block = allocator->take(12);
    ASSERT_TRUE(block.has_value());
    pages.push_back(*block);
  }
  EXPECT_EQ(kernel.retypes(), 1U);
  EXPECT_EQ(allocator->free_bytes(), (1U << 20) + (1U << 24));
  for (const BlockId page : pages) {
    allocator->give(page);
  }
  EXPECT_EQ(kernel.caps(), 3U);
  const auto whole = allocator->take(16);
  ASSERT_TRUE(whole.has_value());
  EXPECT_EQ(allocator->slot(*whole), 2U);
}

TEST_F(UntypedTest, TooFewEntriesForThePiecesChangeNothing) {
  std::vector<UntypedAllocator::Block> few(12);
  UntypedAllocator small(kernel, slots, few);
  kernel.add(900, 16);
  ASSERT_TRUE(small.add(900, 16));
  const auto free_slots = slots.free_slots();
  EXPECT_EQ(small.take(12).error(), MemoryError::out_of_blocks);
  EXPECT_EQ(slots.free_slots(), free_slots);
  EXPECT_EQ(small.free_bytes(), 1U << 16);
  const auto half = small.take(15);  // the entries are there again
  ASSERT_TRUE(half.has_value());
}

TEST_F(UntypedTest, OnlyWhatIsNotInUseIsWithdrawn) {
  const auto page = allocator->take(12);  // of the untyped of 2^16 bytes in slot 2
  ASSERT_TRUE(page.has_value());
  EXPECT_FALSE(allocator->withdraw(2, 16));
  EXPECT_FALSE(allocator->withdraw(allocator->slot(*page), 12));
  allocator->give(*page);
  EXPECT_TRUE(allocator->withdraw(2, 16));
  EXPECT_FALSE(allocator->withdraw(2, 16));
  EXPECT_EQ(allocator->free_bytes(), (1U << 20) + (1U << 24));
  EXPECT_EQ(allocator->total_bytes(), allocator->free_bytes());
  EXPECT_NE(allocator->slot(*allocator->take(16)), 2U);
  EXPECT_TRUE(allocator->add(2, 16));
  EXPECT_EQ(allocator->slot(*allocator->take(16)), 2U);
}

TEST_F(UntypedTest, SaysWhenNothingIsLargeEnough) {
  EXPECT_EQ(allocator->take(25).error(), MemoryError::out_of_memory);
  EXPECT_EQ(allocator->take(47).error(), MemoryError::out_of_memory);
  ASSERT_TRUE(allocator->take(24).has_value());
  EXPECT_EQ(allocator->take(24).error(), MemoryError::out_of_memory);
  EXPECT_EQ(allocator->largest_free_bits(), 20U);
}

TEST_F(UntypedTest, ARefusalOfTheKernelChangesNothing) {
  const auto free = allocator->free_bytes();
  const auto free_slots = slots.free_slots();
  kernel.refuse_next();
  EXPECT_EQ(allocator->take(12).error(), MemoryError::refused);
  EXPECT_EQ(allocator->free_bytes(), free);
  EXPECT_EQ(slots.free_slots(), free_slots);
  EXPECT_TRUE(allocator->take(12).has_value());
}

TEST_F(UntypedTest, RandomTrafficKeepsTheBooks) {
  std::mt19937 random(7);
  const auto total = allocator->free_bytes();
  const auto free_slots = slots.free_slots();
  std::vector<BlockId> taken;
  std::uint64_t used = 0;
  for (int step = 0; step < 5000; ++step) {
    if (random() % 2 == 0 || taken.empty()) {
      const unsigned bits = 4 + random() % 18;
      if (const auto block = allocator->take(bits)) {
        taken.push_back(*block);
        used += std::uint64_t{1} << bits;
      }
    } else {
      const auto at = random() % taken.size();
      used -= std::uint64_t{1} << allocator->size_bits(taken[at]);
      allocator->give(taken[at]);
      taken[at] = taken.back();
      taken.pop_back();
    }
    ASSERT_EQ(allocator->free_bytes(), total - used);
  }
  std::set<abi::CPtr> distinct;
  for (const auto block : taken) {
    EXPECT_TRUE(distinct.insert(allocator->slot(block)).second);
  }
  for (const auto block : taken) {
    allocator->give(block);
  }
  EXPECT_EQ(allocator->free_bytes(), total);
  EXPECT_EQ(slots.free_slots(), free_slots);
  EXPECT_EQ(kernel.caps(), 3U);
}

TEST(SlotAllocator, RunsStayWithinOneNode) {
  std::vector<SlotAllocator::Page> pages{4};
  SlotAllocator slots{pages};
  ASSERT_TRUE(slots.add(100, 10));
  ASSERT_TRUE(slots.add(4096, 600));
  EXPECT_EQ(slots.take(8), 100U);
  EXPECT_EQ(slots.take(8), 4096U);
  EXPECT_EQ(slots.take(512), 4104U);
  EXPECT_EQ(slots.take(2), 108U);
  EXPECT_EQ(slots.take(512), std::nullopt);
  slots.give(4104, 512);
  EXPECT_EQ(slots.take(512), 4104U);
}

TEST(SlotAllocator, GivesEverySlotOnce) {
  std::vector<SlotAllocator::Page> pages{4};
  SlotAllocator slots{pages};
  ASSERT_TRUE(slots.add(5000, 4096));
  std::set<abi::CPtr> seen;
  while (const auto slot = slots.take()) {
    ASSERT_TRUE(seen.insert(*slot).second);
  }
  EXPECT_EQ(seen.size(), 4096U);
  EXPECT_EQ(*seen.begin(), 5000U);
  slots.give(5001);
  EXPECT_EQ(slots.take(), 5001U);
  EXPECT_EQ(slots.free_slots(), 0U);
}

}  // namespace
}  // namespace lona::manager
