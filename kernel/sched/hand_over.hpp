// SPDX-License-Identifier: BSD-2-Clause
// The processor goes from the running thread to one that has a scheduling context of its own: what
// schedule() would do for these two, planned before any effect and then done.
#pragma once

#include "kernel/arch/arch.hpp"
#include "kernel/sched/domain_schedule.hpp"
#include "kernel/sched/scheduler.hpp"

namespace lona::kernel {

struct HandOver {
  Ticks now;
  Ticks used;  // by the running context, up to now
};

// Can `next` run now on its own time? No other context's time may have come, and the running one
// must not wait for its own, as it does when another core has stopped its thread.
[[gnu::always_inline]] inline bool plan_next(const Scheduler& s, const Tcb& next, HandOver& plan) {
  if (s.current_context == nullptr || s.current_context->queued) return false;
  SchedContext& to = *next.sched_context;
  plan.now = arch::now();
  plan.used = s.consumed + (plan.now - s.now);
  if (kHasDomains && plan.now >= domain_schedule.end()) return false;
  const RefillClock clock{plan.now, s.slack, s.min_budget};
  return to.configured() && !to.queued && refill_ready(to, clock) &&
         refill_sufficient(to, 0, clock) &&
         (s.release_head == nullptr || !refill_ready(*s.release_head, clock));
}

// Has the running context used what it had?
[[gnu::always_inline]] inline bool slice_is_over(const Scheduler& s, const HandOver& plan) {
  return !refill_sufficient(*s.current_context, plan.used, {plan.now, s.slack, s.min_budget});
}

// The running context must have the budget that any entry needs.
[[gnu::noinline]] inline bool plan_hand_over(const Scheduler& s, const Tcb& next, HandOver& plan) {
  return plan_next(s, next, plan) && !slice_is_over(s, plan);
}

// The timer is armed for an earlier moment than the context needs more often than not. It then
// interrupts once for nothing and is armed anew, which is less work than arming it each time. For
// what waits to be released, and for the end of the domain's time, it is armed already.
[[gnu::always_inline]] inline void arm_for(Scheduler& s, SchedContext& context, Ticks now) {
  const Ticks slice_end = now + refill_head(context).amount;
  if (slice_end >= s.armed) [[likely]]
    return;
  s.armed = slice_end;
  arch::set_deadline(slice_end, now);
}

// Charges the running context and makes `to`, whose thread wakes up, the one that is charged from
// now on.
[[gnu::noinline]] inline void hand_over(Scheduler& s, SchedContext& to, const HandOver& plan) {
  const RefillClock clock{plan.now, s.slack, s.min_budget};
  SchedContext& from = *s.current_context;
  refill_charge(from, plan.used, clock);
  from.consumed += plan.used;
  s.consumed = 0;
  s.now = plan.now;
  s.current_context = &to;
  if (!is_round_robin(to)) refill_unblock(to, clock);
  arm_for(s, to, plan.now);
}

}  // namespace lona::kernel
