// SPDX-License-Identifier: BSD-2-Clause
#include "manager/deadlines.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "manager/pit.hpp"

namespace lona::manager {
namespace {

std::vector<std::size_t> due(Deadlines& deadlines, std::uint64_t now) {
  std::vector<std::size_t> found;
  deadlines.take_due(now, [&](std::size_t who) { found.push_back(who); });
  return found;
}
using Who = std::vector<std::size_t>;

TEST(Deadlines, ComeInTheirOrderAndOnce) {
  Deadlines deadlines;
  EXPECT_EQ(deadlines.earliest(), abi::kNoDeadlineTick);
  deadlines.set(3, 300);
  deadlines.set(5, 200);
  deadlines.set(7, 900);
  deadlines.clear(7);
  EXPECT_EQ(deadlines.earliest(), 200U);
  EXPECT_EQ(due(deadlines, 199), Who{});
  EXPECT_EQ(due(deadlines, 200), Who{5});
  EXPECT_EQ(due(deadlines, 250), Who{});
  deadlines.set(9, 300);
  EXPECT_EQ(due(deadlines, ~0ULL), (Who{3, 9}));
  EXPECT_EQ(due(deadlines, ~0ULL), Who{});
}

TEST(Deadlines, NoDeadlineIsNeverDue) {
  Deadlines deadlines;
  deadlines.set(0, abi::kNoDeadlineTick);
  EXPECT_EQ(due(deadlines, abi::kNoDeadlineTick), Who{});
}

TEST(Pit, CountIsNeverTooShortNorOutOfRange) {
  for (const std::uint64_t hertz : {500'000'000ULL, 2'596'000'000ULL, 5'800'000'000ULL}) {
    EXPECT_EQ(pit_count(0, hertz), 1);
    EXPECT_EQ(pit_count(~0ULL, hertz), kPitMaxCount);
    for (std::uint64_t us = 1; us < 54'000; us += 97) {
      const std::uint64_t ticks = us * (hertz / 1'000'000);
      const std::uint64_t count = pit_count(ticks, hertz);
      EXPECT_GE(count * 1'000'000, us * kPitHertz * 999 / 1000) << us;
      EXPECT_LE((count - 1) * 1'000'000, us * kPitHertz) << us;
    }
  }
}

}  // namespace
}  // namespace lona::manager
