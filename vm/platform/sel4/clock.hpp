// SPDX-License-Identifier: BSD-2-Clause
// The processor's counter of time, in ticks, and how many of them a nanosecond has.
#pragma once

#include <cstdint>

namespace lona::vm::platform {

void start_clock(std::uint64_t hertz);
std::uint64_t tick();
// Rounded up; the last moment there is, when there is none so late.
std::uint64_t to_tick(std::uint64_t ns);
std::uint64_t ticks_per_ms();

}  // namespace lona::vm::platform
