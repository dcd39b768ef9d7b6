// SPDX-License-Identifier: BSD-2-Clause
// Long operations: how they count their work and when they give interrupts a chance.
#pragma once

#include "kernel/check/latency.hpp"

namespace lona::kernel {

// Preempted: some of the work is done, and the same call again goes on with it.
enum class Progress { kDone, kPreempted };

// Work since the last preemption point, in units of about ten instructions.
class WorkMeter {
 public:
  enum Cost : unsigned {
    kLook = 2,
    kEmptySlot = 5,
    kWakeThread = 20,
    kDeleteCap = 30,
    kRemoveCopies = 80
  };
  static constexpr unsigned kCopiesPerStep = 32;  // by kRemoveCopies

  // Called before a step: must the operation stop without making it?
  bool must_stop(Cost cost) {
    done_ += cost;
    if (done_ < kLimit) return false;
    done_ = cost;
    return preemption_point();
  }

 private:
  static constexpr unsigned kLimit = 500;
  unsigned done_ = 0;
};

}  // namespace lona::kernel
