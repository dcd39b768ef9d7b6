// SPDX-License-Identifier: BSD-2-Clause
#include "manager/region_table.hpp"

#include <gtest/gtest.h>

namespace lona::manager {
namespace {

RegionTable table() {
  RegionTable regions;
  EXPECT_TRUE(regions.add({{0x5000, 0x1000}, RegionType::guard, RegionRights::none}));
  EXPECT_TRUE(regions.add({{0x0, 0x1000}, RegionType::null_guard, RegionRights::none}));
  EXPECT_TRUE(regions.add({{0x2000, 0x1000}, RegionType::vm_text, RegionRights::read_execute}));
  EXPECT_TRUE(regions.add({{0x3000, 0x1000}, RegionType::vm_constants, RegionRights::read_only}));
  EXPECT_TRUE(regions.add({{0x6000, 0x2000}, RegionType::stack, RegionRights::read_write}));
  EXPECT_TRUE(regions.add({{0xa000, 0x2000}, RegionType::inherited, RegionRights::read_only}));
  return regions;
}

TEST(RegionTable, FindsWhatContainsAnAddress) {
  const auto regions = table();
  EXPECT_EQ(regions.find(0x2fff)->type, RegionType::vm_text);
  EXPECT_EQ(regions.find(0x3000)->type, RegionType::vm_constants);
  EXPECT_EQ(regions.find(0x4000), nullptr);
  EXPECT_EQ(regions.find(0x8000), nullptr);
  EXPECT_EQ(regions.find(~0ULL), nullptr);
}

TEST(RegionTable, RefusesOverlapsAndOddSizes) {
  auto regions = table();
  const auto add = [&](std::uint64_t start, std::uint64_t size) {
    return regions.add({{start, size}, RegionType::pool, RegionRights::read_write});
  };
  EXPECT_FALSE(add(0x1000, 0x2000));
  EXPECT_FALSE(add(0x7000, 0x1000));
  EXPECT_FALSE(add(0x1000, 0x8000));
  EXPECT_FALSE(add(0x2000, 0x1000));
  EXPECT_FALSE(add(0x1000, 0));
  EXPECT_FALSE(add(0x1000, 0x800));
  EXPECT_FALSE(add(0x1800, 0x1000));
  EXPECT_FALSE(add(~0ULL - 0xfff, 0x2000));
  EXPECT_TRUE(add(0x1000, 0x1000));
}

TEST(RegionTable, RefusesMoreThanItHolds) {
  RegionTable regions;
  for (std::uint64_t at = 0; at < RegionTable::kMaxRegions; ++at) {
    ASSERT_TRUE(regions.add({{at << 12, 0x1000}, RegionType::pool, RegionRights::read_write}));
  }
  EXPECT_FALSE(regions.add({{1ULL << 40, 0x1000}, RegionType::pool, RegionRights::read_write}));
}

TEST(RegionTable, TellsWhyAnAccessFaulted) {
  const auto regions = table();
  EXPECT_EQ(regions.classify(0x8, Access::read), Violation::null_pointer);
  EXPECT_EQ(regions.classify(0x5ff8, Access::write), Violation::guard_page);
  EXPECT_EQ(regions.classify(0x2000, Access::write), Violation::read_only);
  EXPECT_EQ(regions.classify(0x3000, Access::execute), Violation::not_executable);
  EXPECT_EQ(regions.classify(0x6000, Access::execute), Violation::not_executable);
  EXPECT_EQ(regions.classify(0x6000, Access::write), Violation::not_mapped);
  EXPECT_EQ(regions.classify(0x9000, Access::read), Violation::outside);
  EXPECT_EQ(regions.classify(0xa000, Access::write), Violation::inherited);
  EXPECT_EQ(regions.classify(0xa000, Access::read), Violation::not_inherited);
  EXPECT_EQ(regions.classify(0xa000, Access::execute), Violation::not_executable);
}

}  // namespace
}  // namespace lona::manager
