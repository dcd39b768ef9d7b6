// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/memory/region_list.hpp"

#include <gtest/gtest.h>

#include <bitset>
#include <random>

namespace lona::kernel {
namespace {

TEST(RegionList, merges_ranges_that_touch) {
  RegionList list;
  list.add({10, 20});
  list.add({30, 40});
  list.add({20, 30});
  ASSERT_EQ(list.ranges().size(), 1u);
  EXPECT_EQ(list.ranges()[0], (PhysicalRange{10, 40}));
}

TEST(RegionList, ignores_empty_and_reversed_ranges) {
  RegionList list;
  list.add({5, 5});
  list.add({9, 3});
  EXPECT_TRUE(list.empty());
  list.add({0, 10});
  list.remove({7, 7});
  EXPECT_EQ(list.total(), 10u);
}

TEST(RegionList, take_aligns_and_shrinks_what_is_left) {
  RegionList list;
  list.add({0x1800, 0x4000});
  const auto first = list.take(0x1000, 0x1000);
  ASSERT_TRUE(first);
  EXPECT_EQ(*first, 0x2000u);
  EXPECT_EQ(list.total(), 0x2800u - 0x1000u);
  EXPECT_FALSE(list.take(0x2000, 0x1000));
  EXPECT_FALSE(list.take(0, 1));
}

TEST(RegionList, take_at_the_top_of_the_address_space_does_not_wrap) {
  RegionList list;
  list.add({~PhysicalAddress{0} - 100, ~PhysicalAddress{0}});
  EXPECT_FALSE(list.take(64, 4096));
}

TEST(RegionList, full_list_loses_memory_but_never_hands_out_removed_memory) {
  RegionList list;
  list.add({0, 1'000'000});
  for (PhysicalAddress at = 10; at < 4000; at += 20) list.remove({at, at + 10});
  EXPECT_TRUE(list.overflowed());
  for (const PhysicalRange& range : list.ranges()) {
    for (PhysicalAddress at = 10; at < 4000; at += 20) {
      EXPECT_FALSE(range.begin < at + 10 && at < range.end);
    }
  }
}

// The list is compared with one bit for every address of a small space.
TEST(RegionList, random_operations_match_a_bit_map) {
  constexpr unsigned kSpace = 512;
  std::mt19937 random(7);
  for (unsigned round = 0; round < 200; ++round) {
    RegionList list;
    std::bitset<kSpace> model;
    for (unsigned step = 0; step < 60; ++step) {
      const unsigned a = random() % kSpace, b = random() % kSpace;
      const PhysicalRange range{std::min(a, b), std::max(a, b)};
      const bool adds = random() % 2 == 0;
      adds ? list.add(range) : list.remove(range);
      for (PhysicalAddress i = range.begin; i < range.end; ++i) model.set(i, adds);
    }
    ASSERT_FALSE(list.overflowed());
    std::bitset<kSpace> seen;
    PhysicalAddress last_end = 0;
    for (const PhysicalRange& range : list.ranges()) {
      ASSERT_TRUE(range.begin < range.end);
      ASSERT_TRUE(&range == list.ranges().data() || range.begin > last_end);
      last_end = range.end;
      for (PhysicalAddress i = range.begin; i < range.end; ++i) seen.set(i);
    }
    ASSERT_EQ(seen, model);
    ASSERT_EQ(list.total(), model.count());
  }
}

}  // namespace
}  // namespace lona::kernel
