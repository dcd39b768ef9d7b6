// SPDX-License-Identifier: BSD-2-Clause
#include "vm/term/name_id.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <string>
#include <vector>

namespace lona::vm {
namespace {

// Known answers, from another implementation of BLAKE2b (Python's hashlib, digest_size=8).
TEST(NameId, IsTheDigestWithoutTheTagsBits) {
  constexpr std::uint64_t kBits = ~Term::kTagMask;
  EXPECT_EQ(name_id(""), 0xb4b2797457a0a6e4 & kBits);
  EXPECT_EQ(name_id("abc"), 0x5995d533d814bbd8 & kBits);
  EXPECT_EQ(name_id("lona.core/map"), 0x982837973b1db5af & kBits);
  // One block, exactly one, and one byte more.
  EXPECT_EQ(name_id(std::string(127, 'a')), 0x8af1f311bea9d603 & kBits);
  EXPECT_EQ(name_id(std::string(128, 'a')), 0xda187e9cfe4366f0 & kBits);
  EXPECT_EQ(name_id(std::string(129, 'a')), 0x99a2c5b05b5362e4 & kBits);
  EXPECT_EQ(name_id(std::string(65535, 'x')), 0x4ee8fd36d4ba2514 & kBits);
}

TEST(NameId, MillionsOfNamesThatDifferLittleHaveDifferentNumbersAndAllBitsVary) {
  constexpr std::size_t kNames = 1'000'000;
  std::vector<std::uint64_t> ids;
  std::size_t ones[64] = {};
  for (std::size_t i = 0; i < kNames; ++i) {
    const std::uint64_t id = name_id("name" + std::to_string(i));
    for (std::uint64_t left = id; left != 0; left &= left - 1) ones[std::countr_zero(left)]++;
    ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(std::adjacent_find(ids.begin(), ids.end()), ids.end());
  for (unsigned bit = Term::kTagBits; bit < 64; ++bit) {
    EXPECT_NEAR(double(ones[bit]), kNames / 2.0, kNames * 0.005) << bit;
  }
}

}  // namespace
}  // namespace lona::vm
