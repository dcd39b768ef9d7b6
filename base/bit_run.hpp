// SPDX-License-Identifier: BSD-2-Clause
// Runs of clear bits in a bitmap, a word at a time.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <span>

namespace lona::base {

// The first of `wanted` (not 0) clear bits side by side within [from, end).
[[nodiscard]] constexpr std::optional<std::uint64_t> find_clear_run(
    std::span<const std::uint64_t> words, std::uint64_t from, std::uint64_t end,
    std::uint64_t wanted) {
  std::uint64_t run = 0;  // clear bits right before `at`
  for (std::uint64_t at = from; at < end;) {
    const std::uint64_t rest = words[at / 64] >> (at % 64);
    const std::uint64_t left = std::min(64 - at % 64, end - at);
    const auto clear = std::min<std::uint64_t>(left, rest == 0 ? 64 : std::countr_zero(rest));
    run += clear;
    if (run >= wanted) {
      return at + clear - run;
    }
    at += clear;
    if (clear < left) {
      run = 0;
      at += std::min<std::uint64_t>(left - clear, std::countr_one(rest >> clear));
    }
  }
  return std::nullopt;
}

}  // namespace lona::base
