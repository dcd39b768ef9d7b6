// SPDX-License-Identifier: BSD-2-Clause
#include "base/bit_run.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>

namespace lona::base {
namespace {

std::optional<std::uint64_t> bit_by_bit(std::span<const std::uint64_t> words, std::uint64_t from,
                                        std::uint64_t end, std::uint64_t wanted) {
  std::uint64_t run = 0;
  for (std::uint64_t at = from; at < end; ++at) {
    run = (words[at / 64] >> (at % 64) & 1) != 0 ? 0 : run + 1;
    if (run == wanted) {
      return at + 1 - wanted;
    }
  }
  return std::nullopt;
}

TEST(BitRun, FindsWhatALookAtEachBitFinds) {
  std::mt19937_64 random(5);
  std::array<std::uint64_t, 8> words{};
  for (int round = 0; round < 20000; ++round) {
    for (auto& word : words) {
      const auto kind = random() % 4;
      word = kind == 0 ? 0 : kind == 1 ? ~std::uint64_t{0} : random() & (random() | random());
    }
    const std::uint64_t end = random() % 513;
    const std::uint64_t from = end == 0 ? 0 : random() % end;
    const std::uint64_t wanted = 1 + random() % (round % 2 == 0 ? 8 : 200);
    ASSERT_EQ(find_clear_run(words, from, end, wanted), bit_by_bit(words, from, end, wanted))
        << from << " to " << end << ", " << wanted;
  }
}

}  // namespace
}  // namespace lona::base
