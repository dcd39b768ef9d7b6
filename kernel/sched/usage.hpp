// SPDX-License-Identifier: BSD-2-Clause
// Where the processors' time goes, thread by thread: what the benchmark calls of the ABI report.
// Counted in benchmark kernels only, from a reset to a finalize (api/benchmark.cpp).
#pragma once

#include "kernel/object/tcb.hpp"

namespace lona::kernel {

class CoreUsage {
 public:
  void start(Ticks now) { *this = CoreUsage(now); }
  void stop(Tcb* current, Ticks now);
  // `before` entered the kernel, which is left with `next`; null is the idle core.
  void count(Tcb* before, Tcb* next, Ticks entered, Ticks left);

  bool counting() const { return counting_; }
  Ticks duration(Ticks now) const { return (counting_ ? now : end_) - start_; }
  // Since whoever runs has come in.
  Ticks current_turn(Ticks now) const { return counting_ ? now - since_ : 0; }
  void begin_turn(Ticks now) { since_ = now; }
  const Usage& idle() const { return idle_; }
  // Without the time of the turns, which is the duration.
  const Usage& total() const { return total_; }

  constexpr CoreUsage() = default;

 private:
  explicit CoreUsage(Ticks now) : counting_(true), start_(now), since_(now) {}

  bool counting_ = false;
  Ticks start_ = 0;
  Ticks end_ = 0;
  Ticks since_ = 0;
  Usage idle_{};
  Usage total_{};
};

}  // namespace lona::kernel
