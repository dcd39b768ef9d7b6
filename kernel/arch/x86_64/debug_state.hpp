// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

// A thread's breakpoints and single-stepping, in the kernel with hardware debugging.

namespace lona::kernel {

struct DebugState {
  static constexpr unsigned kBreakpoints = 4;

  std::uint64_t address[kBreakpoints];
  std::uint64_t control;     // DR7: what is enabled, and how
  std::uint64_t step_every;  // instructions between two faults, 0: no single-stepping
  std::uint64_t steps_left;
};

}  // namespace lona::kernel
