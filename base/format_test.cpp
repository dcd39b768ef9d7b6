// SPDX-License-Identifier: BSD-2-Clause
#include "base/format.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace lona::base {
namespace {

TEST(Format, WritesNumbers) {
  FixedText<200> text;
  text << std::uint64_t{0} << ' ' << std::numeric_limits<std::uint64_t>::max() << ' '
       << std::numeric_limits<std::int64_t>::min() << ' ' << Hex{0} << ' ' << Hex{0xdeadbeef};
  EXPECT_EQ(text.text(), "0 18446744073709551615 -9223372036854775808 0x0 0xdeadbeef");
  EXPECT_FALSE(text.truncated());
}

TEST(Format, WritesSizesAsPeopleReadThem) {
  FixedText<64> text;
  text << ByteSize{17} << ", " << ByteSize{4096} << ", " << ByteSize{512ULL << 20};
  EXPECT_EQ(text.text(), "17 B, 4 KB, 512 MB");
}

TEST(Format, CutsOffAtTheEndOfTheBuffer) {
  FixedText<4> text;
  text << "abc" << std::uint64_t{123};
  EXPECT_EQ(text.text(), "abc1");
  EXPECT_TRUE(text.truncated());
}

}  // namespace
}  // namespace lona::base
