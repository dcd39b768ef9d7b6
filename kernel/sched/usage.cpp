// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/sched/usage.hpp"

namespace lona::kernel {

namespace {

// Null for a thread that has just ended: its memory may be another's already. That costs one that
// stopped itself the count of this entry.
Usage* usage_of(Tcb* tcb, Usage& idle) {
  if (tcb == nullptr) return &idle;
  return tcb->state == ThreadState::kInactive ? nullptr : &tcb->usage;
}

}  // namespace

void CoreUsage::stop(Tcb* current, Ticks now) {
  if (!counting_) return;
  if (Usage* const usage = usage_of(current, idle_)) usage->running += now - since_;
  counting_ = false;
  end_ = now;
}

void CoreUsage::count(Tcb* before, Tcb* next, Ticks entered, Ticks left) {
  if (!counting_) return;
  Usage* const usage = usage_of(before, idle_);
  const Ticks in_kernel = left - (entered > start_ ? entered : start_);
  total_.in_kernel += in_kernel;
  ++total_.entries;
  if (usage != nullptr) {
    usage->in_kernel += in_kernel;
    ++usage->entries;
  }
  if (next == before) return;
  if (usage != nullptr) usage->running += left - since_;
  since_ = left;
  ++total_.turns;
  if (Usage* const taker = usage_of(next, idle_)) ++taker->turns;
}

}  // namespace lona::kernel
