// SPDX-License-Identifier: BSD-2-Clause
#include "manager/grants.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace lona::manager {
namespace {

constexpr PageRange pages(std::uint64_t first, std::uint64_t count) {
  return {first << abi::kPageBits, count, abi::kPageBits};
}

Grant grant(const PageRange& request, std::uint64_t first, std::uint64_t count) {
  return {.address = first << abi::kPageBits,
          .request = request,
          .frames = {.first = 0, .count = count, .page_bits = abi::kPageBits, .block = 0}};
}

TEST(Grants, ARequestIsFoundAsAWholeOnly) {
  GrantSpace<8> space;
  GrantTable table(space);
  table.add(grant(pages(20, 4), 20, 4));
  table.add(grant(pages(4, 3), 4, 2));
  table.add(grant(pages(4, 3), 6, 1));
  EXPECT_EQ(table.find(pages(4, 3), 4 << abi::kPageBits), 1U);
  EXPECT_EQ(table.find(pages(4, 3), 6 << abi::kPageBits), 2U);
  EXPECT_EQ(table.find(pages(4, 2), 4 << abi::kPageBits), std::nullopt);
  EXPECT_EQ(table.find(pages(4, 3), 5 << abi::kPageBits), std::nullopt);
  EXPECT_EQ(table.find(pages(20, 4), 20 << abi::kPageBits), 0U);
}

TEST(Grants, PagesThatTouchAGrantAreNotClear) {
  GrantSpace<8> space;
  GrantTable table(space);
  table.add(grant(pages(10, 4), 10, 4));
  EXPECT_TRUE(table.clear_of(pages(8, 2)));
  EXPECT_TRUE(table.clear_of(pages(14, 100)));
  for (const PageRange& bad :
       {pages(9, 2), pages(10, 1), pages(13, 1), pages(13, 9), pages(1, 99)}) {
    EXPECT_FALSE(table.clear_of(bad));
  }
}

// Against a bitmap of the pages.
TEST(Grants, RandomTrafficKeepsTheOrder) {
  constexpr std::uint64_t kPages = 400;
  std::mt19937 random(5);
  GrantSpace<64> space;
  GrantTable table(space);
  std::vector<bool> used(kPages + 8);
  std::vector<PageRange> given;
  const auto mark = [&](const PageRange& range, bool taken) {
    std::fill_n(used.begin() + static_cast<long>(range.address >> abi::kPageBits), range.count,
                taken);
  };
  for (int step = 0; step < 20'000; ++step) {
    const PageRange range = pages(random() % kPages, 1 + random() % 8);
    const std::uint64_t first = range.address >> abi::kPageBits;
    const auto at = used.begin() + static_cast<long>(first);
    const bool clear = std::find(at, at + static_cast<long>(range.count), true) ==
                       at + static_cast<long>(range.count);
    ASSERT_EQ(table.clear_of(range), clear);
    if (clear && !table.full()) {
      table.add(grant(range, first, range.count));
      given.push_back(range);
      mark(range, true);
    }
    if (random() % 2 == 0 && !given.empty()) {
      std::swap(given[random() % given.size()], given.back());
      const auto index = table.find(given.back(), given.back().address);
      ASSERT_TRUE(index.has_value());
      ASSERT_EQ(table.at(*index).request, given.back());
      table.remove(*index);
      mark(given.back(), false);
      given.pop_back();
    }
    ASSERT_EQ(table.count(), given.size());
  }
}

}  // namespace
}  // namespace lona::manager
