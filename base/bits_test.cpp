// SPDX-License-Identifier: BSD-2-Clause
#include "base/bits.hpp"

#include <gtest/gtest.h>

#include <cstdint>

#include "base/checked.hpp"

namespace lona::base {
namespace {

using Low = Bits<std::uint64_t, 0, 7>;
using Middle = Bits<std::uint64_t, 7, 50>;
using Top = Bits<std::uint64_t, 57, 7>;
using Whole = Bits<std::uint64_t, 0, 64>;

static_assert(fields_disjoint<Low, Middle, Top>());
static_assert(!fields_disjoint<Low, Bits<std::uint64_t, 6, 2>>());
static_assert(Whole::kMask == ~std::uint64_t{0});
static_assert(Top::make(0x7f) == 0xfe00000000000000ULL);

TEST(Bits, SetChangesItsFieldOnly) {
  const std::uint64_t word = ~std::uint64_t{0};
  const auto changed = Middle::set(word, 0);
  EXPECT_EQ(Low::get(changed), 0x7fU);
  EXPECT_EQ(Middle::get(changed), 0U);
  EXPECT_EQ(Top::get(changed), 0x7fU);
}

TEST(Bits, SmallWordsKeepTheirWidth) {
  using Field = Bits<std::uint8_t, 4, 4>;
  EXPECT_EQ(Field::set(0x0f, 0x9), 0x9f);
  EXPECT_EQ(Field::get(0xa5), 0xa);
}

TEST(Bits, FitsRefusesWiderValues) {
  EXPECT_TRUE(Low::fits(127));
  EXPECT_FALSE(Low::fits(128));
}

TEST(Checked, OverflowGivesNothing) {
  EXPECT_EQ(checked_add<std::uint64_t>(~0ULL, 1), std::nullopt);
  EXPECT_EQ(checked_mul<std::uint64_t>(1ULL << 32, 1ULL << 32), std::nullopt);
  EXPECT_EQ(align_up<std::uint64_t>(~0ULL, 4096), std::nullopt);
  EXPECT_EQ(align_up<std::uint64_t>(4097, 4096), 8192U);
  EXPECT_EQ(align_up<std::uint64_t>(8192, 4096), 8192U);
}

TEST(Checked, RangeWithinSeesWrapAround) {
  EXPECT_TRUE(range_within<std::uint64_t>(8, 8, 16));
  EXPECT_FALSE(range_within<std::uint64_t>(8, 9, 16));
  EXPECT_FALSE(range_within<std::uint64_t>(8, ~0ULL, 16));
  EXPECT_FALSE(range_within<std::uint64_t>(17, 0, 16));
}

}  // namespace
}  // namespace lona::base
