// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/check/trace.hpp"

#include <gtest/gtest.h>

namespace lona::kernel::testing {
namespace {

TraceEntry entry(std::uint64_t time) {
  return {time, nullptr, TraceKind::kRun, 0, {0, 0}};
}

TEST(TraceRing, is_empty_at_first) {
  const TraceRing ring;
  EXPECT_EQ(ring.find(0), nullptr);
}

TEST(TraceRing, finds_entries_by_age) {
  TraceRing ring;
  ring.add(entry(1));
  ring.add(entry(2));
  ASSERT_NE(ring.find(0), nullptr);
  EXPECT_EQ(ring.find(0)->time, 2u);
  EXPECT_EQ(ring.find(1)->time, 1u);
  EXPECT_EQ(ring.find(2), nullptr);
}

TEST(TraceRing, forgets_the_oldest) {
  TraceRing ring;
  constexpr std::uint64_t kCount = 3 * TraceRing::kEntries + 5;
  for (std::uint64_t i = 0; i < kCount; ++i) ring.add(entry(i));
  EXPECT_EQ(ring.find(0)->time, kCount - 1);
  EXPECT_EQ(ring.find(TraceRing::kEntries - 1)->time, kCount - TraceRing::kEntries);
  EXPECT_EQ(ring.find(TraceRing::kEntries), nullptr);
  EXPECT_EQ(ring.find(~std::uint64_t{0}), nullptr);
}

}  // namespace
}  // namespace lona::kernel::testing
