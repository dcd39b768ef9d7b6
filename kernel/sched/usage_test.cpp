// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/sched/usage.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace lona::kernel::testing {
namespace {

class CoreUsageTest : public ::testing::Test {
 protected:
  CoreUsageTest() { first->state = second->state = ThreadState::kRunning; }

  std::unique_ptr<Tcb> first = std::make_unique<Tcb>(), second = std::make_unique<Tcb>();
  CoreUsage usage;
};

TEST_F(CoreUsageTest, nothing_is_counted_before_the_start_and_after_the_end) {
  usage.count(first.get(), second.get(), 5, 10);
  usage.start(100);
  usage.stop(first.get(), 130);
  usage.count(second.get(), first.get(), 140, 150);
  EXPECT_EQ(first->usage.running, 30u);
  EXPECT_EQ(second->usage.entries, 0u);
  EXPECT_EQ(usage.duration(1000), 30u);
}

TEST_F(CoreUsageTest, time_goes_to_who_runs) {
  usage.start(100);
  usage.count(first.get(), second.get(), 150, 160);
  usage.count(second.get(), second.get(), 170, 175);
  usage.count(second.get(), nullptr, 180, 190);
  usage.count(nullptr, first.get(), 290, 300);
  usage.stop(first.get(), 310);
  EXPECT_EQ(first->usage.running, 60u + 10);
  EXPECT_EQ(first->usage.turns, 1u);
  EXPECT_EQ(second->usage.running, 30u);
  EXPECT_EQ(second->usage.turns, 1u);
  EXPECT_EQ(second->usage.in_kernel, 15u);
  EXPECT_EQ(second->usage.entries, 2u);
  EXPECT_EQ(usage.idle().running, 110u);
  EXPECT_EQ(usage.total().entries, 4u);
  EXPECT_EQ(usage.total().turns, 3u);
  EXPECT_EQ(usage.total().in_kernel, 35u);
}

TEST_F(CoreUsageTest, a_thread_that_ended_is_left_alone) {
  usage.start(100);
  first->state = ThreadState::kInactive;
  usage.count(first.get(), second.get(), 150, 160);
  EXPECT_EQ(first->usage.running, 0u);
  EXPECT_EQ(first->usage.entries, 0u);
  EXPECT_EQ(usage.total().entries, 1u);
}

}  // namespace
}  // namespace lona::kernel::testing
