// SPDX-License-Identifier: BSD-2-Clause
#include "base/strong.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace lona::base {
namespace {

struct PhysicalTag;
struct VirtualTag;
using Physical = Strong<std::uint64_t, PhysicalTag>;
using Virtual = Strong<std::uint64_t, VirtualTag>;

// What must not compile.
template <typename A, typename B>
concept Addable = requires(A a, B b) { a + b; };
template <typename A, typename B>
concept Comparable = requires(A a, B b) { a < b; };
static_assert(!Addable<Physical, Physical>);
static_assert(Addable<Physical, std::uint64_t>);
static_assert(!Comparable<Physical, Virtual>);
static_assert(!std::is_convertible_v<std::uint64_t, Physical>);
static_assert(!std::is_convertible_v<Physical, std::uint64_t>);
static_assert(!std::is_convertible_v<Physical, Virtual>);

TEST(Strong, DistancesAddAndSubtract) {
  Physical at(0x1000);
  at += 0x20;
  EXPECT_EQ(at.raw(), 0x1020U);
  at -= 0x10;
  EXPECT_EQ(at.raw(), 0x1010U);
  EXPECT_EQ((at + 0x10) - at, 0x10U);
  EXPECT_EQ((at - 0x10).raw(), 0x1000U);
  EXPECT_LT(at, at + 1);
}

}  // namespace
}  // namespace lona::base
