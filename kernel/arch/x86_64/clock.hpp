// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

// Time is the processor's time-stamp counter; one deadline at a time is armed.

namespace lona::kernel {

using Ticks = std::uint64_t;

void clock_init();

std::uint32_t clock_khz();
// Ticks of one microsecond, rounded down (at least 1), and of one millisecond.
std::uint64_t ticks_per_us();

Ticks clock_now();
// An interrupt at `when` or as soon as possible if that has passed.
void clock_set_deadline(Ticks when, Ticks now);

}  // namespace lona::kernel
