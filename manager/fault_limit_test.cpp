// SPDX-License-Identifier: BSD-2-Clause
#include "manager/fault_limit.hpp"

#include <gtest/gtest.h>

namespace lona::manager {
namespace {

TEST(FaultLimit, StopsAStormAndForgivesAfterASecond) {
  FaultLimit limit;
  constexpr std::uint64_t kHertz = 1'000'000;
  for (std::uint64_t at = 0; at < FaultLimit::kPerSecond; ++at) {
    EXPECT_TRUE(limit.admit(5 * kHertz + at, kHertz));
  }
  EXPECT_FALSE(limit.admit(5 * kHertz + 2000, kHertz));
  EXPECT_TRUE(limit.admit(6 * kHertz, kHertz));
  EXPECT_EQ(limit.total(), FaultLimit::kPerSecond + 2);
}

}  // namespace
}  // namespace lona::manager
