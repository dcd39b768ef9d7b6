// SPDX-License-Identifier: BSD-2-Clause
// The memory functions under other names, against byte-wise models, on every small size, offset
// and overlap.
#define memcpy tested_memcpy
#define memmove tested_memmove
#define memset tested_memset
#define memcmp tested_memcmp
#define bcmp tested_bcmp
#define memchr tested_memchr
#define strlen tested_strlen
#include "base/memory.cpp"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef bcmp
#undef memchr
#undef strlen

#include <gtest/gtest.h>

#include <array>
#include <numeric>

namespace {

using Buffer = std::array<unsigned char, 160>;

Buffer counted() {
  Buffer buffer;
  std::iota(buffer.begin(), buffer.end(), static_cast<unsigned char>(1));
  return buffer;
}

TEST(Memory, MoveIsRightForEveryOverlap) {
  for (std::size_t from = 0; from < 24; ++from) {
    for (std::size_t to = 0; to < 24; ++to) {
      for (std::size_t size = 0; size < 100; ++size) {
        Buffer moved = counted();
        const Buffer original = moved;
        EXPECT_EQ(tested_memmove(&moved[to], &moved[from], size), &moved[to]);
        for (std::size_t at = 0; at < moved.size(); ++at) {
          const bool inside = at >= to && at < to + size;
          ASSERT_EQ(moved[at], inside ? original[from + (at - to)] : original[at]);
        }
      }
    }
  }
}

TEST(Memory, CopyAndSetStayInTheirRange) {
  for (std::size_t at = 0; at < 9; ++at) {
    for (std::size_t size = 0; size < 100; ++size) {
      const Buffer source = counted();
      Buffer copy{};
      tested_memcpy(&copy[at], &source[3], size);
      Buffer filled{};
      tested_memset(&filled[at], 0x1ab, size);
      for (std::size_t i = 0; i < copy.size(); ++i) {
        const bool inside = i >= at && i < at + size;
        ASSERT_EQ(copy[i], inside ? source[3 + i - at] : 0);
        ASSERT_EQ(filled[i], inside ? 0xab : 0);
      }
    }
  }
}

TEST(Memory, CompareFindsTheFirstDifference) {
  for (std::size_t size = 1; size < 40; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      Buffer left = counted();
      const Buffer right = left;
      EXPECT_EQ(tested_memcmp(left.data(), right.data(), size), 0);
      left[at] = 0xff;
      EXPECT_GT(tested_memcmp(left.data(), right.data(), size), 0);
      EXPECT_LT(tested_memcmp(right.data(), left.data(), size), 0);
      EXPECT_EQ(tested_memcmp(left.data(), right.data(), at), 0);
    }
  }
}

TEST(Memory, FindsCharacterAndLength) {
  EXPECT_EQ(tested_strlen(""), 0U);
  EXPECT_EQ(tested_strlen("abc"), 3U);
  const char* text = "hello";
  EXPECT_EQ(tested_memchr(text, 'l', 5), text + 2);
  EXPECT_EQ(tested_memchr(text, 'l', 2), nullptr);
}

}  // namespace
