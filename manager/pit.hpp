// SPDX-License-Identifier: BSD-2-Clause
// Arithmetic of the 8254 timer: how many of its counts until a tick of the time stamp counter?
#pragma once

#include <algorithm>
#include <cstdint>

namespace lona::manager {

inline constexpr std::uint64_t kPitHertz = 1193182;
inline constexpr std::uint64_t kPitMaxCount = 0xffff;

// At least 1, at most kPitMaxCount (about 55 ms); rounded up, so that the interrupt never comes
// before the tick. What lies farther away is reached in several rounds.
constexpr std::uint16_t pit_count(std::uint64_t ticks_away, std::uint64_t tsc_hertz) {
  const std::uint64_t longest = kPitMaxCount * tsc_hertz / kPitHertz;
  if (ticks_away >= longest) {
    return static_cast<std::uint16_t>(kPitMaxCount);
  }
  // Below 55 ms of ticks the product fits: 2^64 / kPitHertz is an hour at 4 GHz.
  const std::uint64_t count = (ticks_away * kPitHertz + tsc_hertz - 1) / tsc_hertz;
  return static_cast<std::uint16_t>(std::clamp<std::uint64_t>(count, 1, kPitMaxCount));
}

}  // namespace lona::manager
