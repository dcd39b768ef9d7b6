// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/memory/untyped_split.hpp"

#include <gtest/gtest.h>

#include <random>

namespace lona::kernel {
namespace {

TEST(UntypedSplitter, blocks_are_aligned_and_cover_the_range_exactly) {
  std::mt19937_64 random(11);
  for (unsigned round = 0; round < 2000; ++round) {
    const PhysicalAddress begin = (random() % (1ULL << 34)) & ~0xfffULL;
    const PhysicalAddress end = begin + (random() % (1ULL << 30) & ~0xfffULL);
    UntypedSplitter splitter({begin, end}, 12, 28);
    UntypedBlock block{};
    PhysicalAddress at = begin;
    while (splitter.next(block)) {
      ASSERT_EQ(block.base, at);
      ASSERT_GE(block.size_bits, 12u);
      ASSERT_LE(block.size_bits, 28u);
      ASSERT_EQ(block.base % (1ULL << block.size_bits), 0u);
      at += 1ULL << block.size_bits;
    }
    ASSERT_EQ(at, end);
  }
}

TEST(UntypedSplitter, starts_at_address_zero) {
  UntypedSplitter splitter({0, 1ULL << 47}, 12, 47);
  UntypedBlock block{};
  ASSERT_TRUE(splitter.next(block));
  EXPECT_EQ(block.size_bits, 47u);
  EXPECT_FALSE(splitter.next(block));
}

TEST(UntypedSplitter, leaves_out_what_is_smaller_than_the_smallest_block) {
  UntypedSplitter splitter({0x1234, 0x3456}, 12, 47);
  UntypedBlock block{};
  ASSERT_TRUE(splitter.next(block));
  EXPECT_EQ(block.base, 0x2000u);
  EXPECT_EQ(block.size_bits, 12u);
  EXPECT_FALSE(splitter.next(block));
  UntypedSplitter nothing({0x1001, 0x1fff}, 12, 47);
  EXPECT_FALSE(nothing.next(block));
}

}  // namespace
}  // namespace lona::kernel
