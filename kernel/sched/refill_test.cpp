// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/sched/refill.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <vector>

namespace lona::kernel {
namespace {

constexpr Ticks kMin = 20;
constexpr Ticks kSlack = 10;

struct alignas(128) Storage {
  SchedContext context;
  Refill more[32];
};

RefillClock at(Ticks now) {
  return {now, kSlack, kMin};
}

void check_shape(SchedContext& sc, Ticks budget, const char* where) {
  ASSERT_GE(sc.refill_count, 1u) << where;
  ASSERT_LE(sc.refill_count, sc.refill_max) << where;
  ASSERT_EQ(refill_sum(sc), budget) << where;
  if (is_round_robin(sc)) return;
  ASSERT_GE(refill_head(sc).amount, kMin < budget ? kMin : budget) << where;
  for (unsigned i = 0; i + 1 < sc.refill_count; ++i) {
    ASSERT_LE(refill_at(sc, i).time + refill_at(sc, i).amount, refill_at(sc, i + 1).time)
        << where << " entry " << i;
  }
}

TEST(Refill, UsedTimeReturnsOnePeriodAfterItBegan) {
  Storage s{};
  refill_start(s.context, 100, 1000, 4, 5000);
  refill_charge(s.context, 40, at(5040));
  ASSERT_EQ(s.context.refill_count, 2u);
  EXPECT_EQ(refill_at(s.context, 0).time, 5040u);
  EXPECT_EQ(refill_at(s.context, 0).amount, 60u);
  EXPECT_EQ(refill_at(s.context, 1).time, 6000u);
  EXPECT_EQ(refill_at(s.context, 1).amount, 40u);
}

TEST(Refill, WholeBudgetUsedWaitsAPeriod) {
  Storage s{};
  refill_start(s.context, 100, 1000, 4, 5000);
  refill_charge(s.context, 100, at(5100));
  EXPECT_EQ(refill_head(s.context).time, 6000u);
  EXPECT_FALSE(refill_ready(s.context, at(5100)));
  EXPECT_TRUE(refill_ready(s.context, at(5995)));
}

TEST(Refill, RoundRobinIsAlwaysReadyAndKeepsItsSlice) {
  Storage s{};
  refill_start(s.context, 100, 0, 2, 5000);
  refill_charge(s.context, 30, at(5030));
  EXPECT_EQ(refill_head(s.context).amount, 70u);
  refill_charge(s.context, 60, at(5090));  // too little left: the slice is whole again
  EXPECT_EQ(refill_head(s.context).amount, 100u);
  EXPECT_TRUE(refill_ready(s.context, at(5090)));
}

TEST(Refill, SleepingDoesNotSaveTimeUp) {
  Storage s{};
  refill_start(s.context, 100, 1000, 4, 5000);
  refill_charge(s.context, 40, at(5040));
  refill_unblock(s.context, at(9000));
  EXPECT_EQ(s.context.refill_count, 1u);
  EXPECT_EQ(refill_head(s.context).time, 9000u);
  EXPECT_EQ(refill_sum(s.context), 100u);
}

// The promise that matters: in no window of one period is more than the budget run (plus what the
// kernel may overrun a refill by: its slack a time).
TEST(Refill, RandomUseNeverExceedsTheBudgetInAnyPeriod) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 400; ++round) {
    Storage s{};
    const Ticks budget = 40 + random() % 400;
    const Ticks period = budget + 1 + random() % 2000;
    const unsigned max = 2 + random() % 10;
    Ticks now = 1000;
    refill_start(s.context, budget, period, max, now);
    std::deque<std::pair<Ticks, Ticks>> runs;  // start, length
    for (int step = 0; step < 300; ++step) {
      if (random() % 3 == 0) now += random() % (2 * period);
      refill_unblock(s.context, at(now));
      if (!refill_ready(s.context, at(now))) {
        now = refill_head(s.context).time;
        refill_unblock(s.context, at(now));
      }
      ASSERT_TRUE(refill_ready(s.context, at(now)));
      const Ticks have = refill_head(s.context).amount;
      const Ticks run = 1 + random() % have;
      runs.emplace_back(now, run);
      now += run;
      refill_charge(s.context, run, at(now));
      ASSERT_NO_FATAL_FAILURE(check_shape(s.context, budget, "charge"));
      // Window that ends now.
      Ticks total = 0;
      unsigned pieces = 0;
      const Ticks from = now > period ? now - period : 0;
      for (auto& [start, length] : runs) {
        const Ticks end = start + length;
        if (end <= from) continue;
        total += end - (start > from ? start : from);
        ++pieces;
      }
      ASSERT_LE(total, budget + pieces * kSlack)
          << "budget " << budget << " period " << period << " max " << max;
      while (!runs.empty() && runs.front().first + runs.front().second <= from) runs.pop_front();
    }
  }
}

TEST(Refill, NewParametersKeepTheSumAndTheOrder) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 2000; ++round) {
    Storage s{};
    Ticks now = 5000;
    refill_start(s.context, 40 + random() % 400, 2000 + random() % 2000, 2 + random() % 6, now);
    for (int i = 0; i < 5; ++i) {
      const Ticks run = 1 + random() % refill_head(s.context).amount;
      now += run;
      refill_charge(s.context, run, at(now));
    }
    const Ticks budget = 40 + random() % 400;
    const Ticks period = random() % 4 == 0 ? 0 : 1000 + random() % 2000;
    refill_update(s.context, budget, period, period == 0 ? 2 : 2 + random() % 6, at(now));
    ASSERT_NO_FATAL_FAILURE(check_shape(s.context, budget, "update"));
  }
}

TEST(Refill, ObjectsOfEverySizeHoldWhatTheAbiPromises) {
  for (unsigned bits = abi::kMinSchedContextBits; bits < 20; ++bits) {
    EXPECT_EQ(refill_capacity(bits) - SchedContext::kMinRefills, abi::max_extra_refills(bits));
  }
}

}  // namespace
}  // namespace lona::kernel
