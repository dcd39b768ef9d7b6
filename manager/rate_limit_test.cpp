// SPDX-License-Identifier: BSD-2-Clause
#include "manager/rate_limit.hpp"

#include <gtest/gtest.h>

namespace lona::manager {
namespace {

TEST(RateLimit, StopsAStormAndForgivesAfterASecond) {
  constexpr std::uint64_t kPerSecond = 50;
  RateLimit limit(kPerSecond);
  constexpr std::uint64_t kHertz = 1'000'000;
  for (std::uint64_t at = 0; at < kPerSecond; ++at) {
    EXPECT_TRUE(limit.admit(5 * kHertz + at, kHertz));
  }
  EXPECT_FALSE(limit.admit(5 * kHertz + 100, kHertz));
  EXPECT_TRUE(limit.admit(6 * kHertz, kHertz));
  EXPECT_EQ(limit.total(), kPerSecond + 2);
}

}  // namespace
}  // namespace lona::manager
