// SPDX-License-Identifier: BSD-2-Clause
#include "vm/platform/sel4/clock.hpp"

#include "vm/platform/sel4/manager.hpp"
#include "vm/platform/sel4/platform_state.hpp"

namespace lona::vm::platform {
namespace {

constexpr std::uint64_t kNsPerSecond = 1'000'000'000;

// Nanoseconds = ticks * ns_per_tick >> 32, ticks = nanoseconds * ticks_per_ns >> 28.
struct Clock {
  std::uint64_t ns_per_tick = 0;
  std::uint64_t ticks_per_ns = 0;
  std::uint64_t ticks_per_ms = 0;
};
constinit Clock g_clock;

}  // namespace

void start_clock(std::uint64_t hertz) {
  g_clock.ns_per_tick = (kNsPerSecond << 32) / hertz;
  g_clock.ticks_per_ns = (hertz << 28) / kNsPerSecond;
  g_clock.ticks_per_ms = hertz / 1000;
}

std::uint64_t tick() {
  return __builtin_ia32_rdtsc();
}

std::uint64_t to_tick(std::uint64_t ns) {
  using Wide = unsigned __int128;
  const Wide ticks = (static_cast<Wide>(ns) * g_clock.ticks_per_ns >> 28) + 1;
  return ticks > abi::kNoDeadlineTick - 1 ? abi::kNoDeadlineTick - 1
                                          : static_cast<std::uint64_t>(ticks);
}

std::uint64_t ticks_per_ms() {
  return g_clock.ticks_per_ms;
}

std::uint64_t now_ns() {
  using Wide = unsigned __int128;
  return static_cast<std::uint64_t>(static_cast<Wide>(tick()) * g_clock.ns_per_tick >> 32);
}

std::uint64_t wall_clock_ns() {
  const std::uint64_t zero = start_block().wall_clock_zero;
  return zero == 0 ? 0 : zero + now_ns();
}

}  // namespace lona::vm::platform
