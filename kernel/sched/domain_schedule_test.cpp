// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/sched/domain_schedule.hpp"

#include <gtest/gtest.h>

#include "kernel/sched/scheduler.hpp"
#include "kernel/testing/world.hpp"

namespace lona::kernel::testing {
namespace {

TEST(DomainSchedule, runs_domain_0_for_ever_at_first) {
  DomainSchedule schedule;
  EXPECT_EQ(schedule.domain(), 0);
  schedule.advance(100);
  EXPECT_EQ(schedule.domain(), 0);
  EXPECT_EQ(schedule.end(), 100 + DomainSchedule::kMaxDuration);
}

TEST(DomainSchedule, starts_over_at_the_end_of_the_list) {
  DomainSchedule schedule;
  constexpr unsigned kLast = abi::kNumDomainSchedules - 1;
  schedule.configure(kLast, {1, 30});
  schedule.start(kLast, 1000);
  EXPECT_EQ(schedule.domain(), 1);
  EXPECT_EQ(schedule.end(), 1030u);
  schedule.advance(1030);
  EXPECT_EQ(schedule.end(), 1060u);
}

TEST(DomainSchedule, a_changed_entry_counts_when_it_is_reached) {
  DomainSchedule schedule;
  schedule.configure(0, {0, 10});
  schedule.configure(1, {2, 20});
  EXPECT_EQ(schedule.end(), DomainSchedule::kMaxDuration);
  schedule.start(0, 0);
  EXPECT_EQ(schedule.end(), 10u);
  schedule.advance(10);
  EXPECT_EQ(schedule.domain(), 2);
  EXPECT_EQ(schedule.end(), 30u);
  schedule.configure(1, {0, 0});
  schedule.advance(30);
  schedule.advance(40);
  EXPECT_EQ(schedule.domain(), 0);
  EXPECT_EQ(schedule.end(), 50u);
}

TEST(DomainSchedule, methods_check_entries) {
  World world;
  const auto configure = [&](Word index, Word domain, Word duration) {
    return world.invoke(World::kDomainSlot, abi::Label::kDomainScheduleConfigure,
                        {index, domain, duration});
  };
  const auto set_start = [&](Word index) {
    return world.invoke(World::kDomainSlot, abi::Label::kDomainScheduleSetStart, {index});
  };
  EXPECT_EQ(configure(abi::kNumDomainSchedules - 1, 0, 5), abi::Error::kRangeError);
  EXPECT_EQ(configure(0, abi::kNumDomains, 5), abi::Error::kRangeError);
  EXPECT_EQ(configure(0, 0, 0), abi::Error::kInvalidArgument);
  EXPECT_EQ(set_start(1), abi::Error::kInvalidArgument);
  EXPECT_EQ(set_start(abi::kNumDomainSchedules), abi::Error::kRangeError);
  EXPECT_EQ(configure(0, 0, 5), abi::Error::kNone);
  EXPECT_EQ(set_start(0), abi::Error::kNone);
  EXPECT_EQ(scheduler().now + 5, domain_schedule.end());
}

}  // namespace
}  // namespace lona::kernel::testing
