// SPDX-License-Identifier: BSD-2-Clause
// The longest time that the kernel has run without being able to take an interrupt: from an entry
// to an exit or preemption point, or between two of these. Debug kernels only; in ticks of the
// clock, which under QEMU's `-icount shift=0` are instructions. Left out is the assembly of entry
// and exit, some forty instructions.
#pragma once

#include "kernel/arch/arch.hpp"
#include "kernel/config.hpp"
#include "kernel/sched/core.hpp"

namespace lona::kernel {

struct Latency {
  Ticks longest = 0;
  Word msg_info = 0;  // of the system call that it was part of
};
extern Latency latency;

// A stretch begins or ends here.
void latency_begin(Core& core);
void latency_end(Core& core);

// For as long as the kernel runs.
class LatencyScope {
 public:
  LatencyScope() {
    if constexpr (config::kDebug) latency_begin(this_core());
  }
  LatencyScope(const LatencyScope&) = delete;
  ~LatencyScope() {
    if constexpr (config::kDebug) latency_end(this_core());
  }
};

// Asks whether an interrupt waits: the one way to do so.
inline bool preemption_point() {
  if constexpr (config::kDebug) {
    latency_end(this_core());
    latency_begin(this_core());
  }
  return arch::interrupt_pending();
}

}  // namespace lona::kernel
