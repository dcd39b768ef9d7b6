// SPDX-License-Identifier: BSD-2-Clause
#include "manager/cpu_share.hpp"

#include <gtest/gtest.h>

namespace lona::manager {
namespace {

TEST(CpuShare, BudgetsAreThatPartOfTheirPeriods) {
  for (const std::uint64_t share : {100U, 250U, 1'000U, 9'999U, 10'000U, 100'000U, 300'000U}) {
    const ThreadShare made = thread_share(100, share);
    EXPECT_EQ(made.budget_us * abi::kWholeCpu / made.period_us, share);
    EXPECT_GE(made.budget_us, 100U);
  }
}

TEST(CpuShare, WithoutALimitTurnsAreShort) {
  for (const std::uint64_t share : {abi::kNoShare, abi::kWholeCpu}) {
    const ThreadShare made = thread_share(100, share);
    EXPECT_EQ(made.budget_us, made.period_us);
    EXPECT_LE(made.budget_us, 1'000U);
  }
}

TEST(CpuShare, AFamilyHasNoMoreThanItsShare) {
  for (std::uint64_t children = 0; children < 1000; ++children) {
    const std::uint64_t each = shared_share(400'000, children);
    EXPECT_LE(each * (children + 1), 400'000U);
    EXPECT_EQ(shared_share(abi::kNoShare, children), abi::kNoShare);
  }
}

}  // namespace
}  // namespace lona::manager
