// SPDX-License-Identifier: BSD-2-Clause
#include "base/bytes.hpp"

#include <gtest/gtest.h>

#include "base/expected.hpp"

namespace lona::base {
namespace {

TEST(Bytes, ReadAtRefusesWhatLeavesTheView) {
  const auto bytes = as_bytes("12345678");
  EXPECT_EQ(read_at<std::uint64_t>(bytes, 0), 0x3837363534333231ULL);
  EXPECT_EQ(read_at<std::uint64_t>(bytes, 1), std::nullopt);
  EXPECT_EQ(read_at<std::uint8_t>(bytes, 8), std::nullopt);
  EXPECT_EQ(read_at<std::uint16_t>(bytes, ~0ULL), std::nullopt);
}

TEST(Bytes, PieceRefusesALengthThatWraps) {
  const auto bytes = as_bytes("abc");
  EXPECT_EQ(as_text(*piece(bytes, 1, 2)), "bc");
  EXPECT_TRUE(piece(bytes, 3, 0).has_value());
  EXPECT_FALSE(piece(bytes, 2, ~0ULL).has_value());
}

Expected<int, int> half(int number) {
  if (number % 2 != 0) {
    return fail(number);
  }
  return number / 2;
}

Expected<int, int> quarter(int number) {
  return TRY(half(TRY(half(number))));
}

TEST(Expected, TryPassesTheFirstErrorOn) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(7).error(), 7);
  EXPECT_EQ(quarter(6).error(), 3);
}

}  // namespace
}  // namespace lona::base
