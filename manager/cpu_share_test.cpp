// SPDX-License-Identifier: BSD-2-Clause
#include "manager/cpu_share.hpp"

#include <gtest/gtest.h>

#include "abi/lona/realm_start.hpp"

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
    const std::uint64_t each = part_of_each({.share = 400'000, .children = children});
    EXPECT_LE(each * (children + 1), 400'000U);
    EXPECT_EQ(part_of_each({.children = children}), abi::kNoShare);
  }
}

TEST(CpuShare, ReservesAreTakenFromTheFamily) {
  const FamilyTime family{
      .share = 400'000, .reserve = 200'000, .reserved_for_others = 150'000, .children = 2};
  const CpuPlan own = own_plan(family);
  EXPECT_EQ(own.reserve, 50'000U);
  const std::uint64_t one = share_of_child(family, abi::kNoShare, 100'000);
  const std::uint64_t other = share_of_child(family, abi::kNoShare, 50'000);
  EXPECT_GE(one, 100'000U);
  EXPECT_GE(other, 50'000U);
  EXPECT_LE(own.reserve + own.beyond + one + other, 400'000U);
  EXPECT_EQ(share_of_child(family, 110'000, 100'000), 110'000U);
}

TEST(FrameCredit, WhatWasUsedTooMuchIsOwed) {
  FrameCredit credit;
  EXPECT_FALSE(credit.left());
  credit.set(1000);
  credit.use(400);
  EXPECT_TRUE(credit.left());
  credit.use(1700);
  EXPECT_FALSE(credit.left());
  credit.begin_frame();
  EXPECT_FALSE(credit.left()) << "100 are owed still";
  credit.begin_frame();
  EXPECT_TRUE(credit.left());
  credit.use(900);
  EXPECT_FALSE(credit.left());
}

TEST(FrameCredit, WhatWasNotUsedIsNotKept) {
  FrameCredit credit;
  credit.set(1000);
  for (int frame = 0; frame < 5; ++frame) credit.begin_frame();
  credit.use(1000);
  EXPECT_FALSE(credit.left());
}

TEST(CpuShare, WhatIsAllReservedHasNothingBeyond) {
  EXPECT_EQ(own_plan({.share = 300'000, .reserve = 300'000}), (CpuPlan{300'000, 0}));
  EXPECT_EQ(own_plan({.reserve = 300'000}), (CpuPlan{300'000, abi::kNoShare}));
}

TEST(CpuShare, HelpersTakeTheirPartFromTheWorker) {
  // All that a realm can have use a quarter of its time, or less.
  for (const CpuPlan plan : {CpuPlan{0, 300'000}, CpuPlan{100'000, 200'000}, CpuPlan{0, 10'000},
                             CpuPlan{10'000, 0}, CpuPlan{0, abi::kLeastShare}}) {
    const std::uint64_t whole = plan.reserve + plan.beyond;
    const std::uint64_t most = abi::most_helpers(abi::kChildCSpaceBits);
    EXPECT_EQ(worker_share(plan, 0), whole);
    EXPECT_EQ(worker_share(plan, most) + most * helper_share(plan), whole);
    EXPECT_GE(4 * worker_share(plan, most), 3 * whole);
    const ThreadShare share = helper_thread_share(plan);
    EXPECT_LE(share.budget_us * abi::kWholeCpu, helper_share(plan) * share.period_us);
  }
  const CpuPlan free{0, abi::kNoShare};
  EXPECT_EQ(worker_share(free, 7), abi::kNoShare);
  EXPECT_LE(abi::most_helpers(abi::kChildCSpaceBits) * helper_share(free), abi::kWholeCpu / 8);
}

}  // namespace
}  // namespace lona::manager
