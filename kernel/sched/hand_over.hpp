// SPDX-License-Identifier: BSD-2-Clause
// The processor goes from the running thread to one that has a scheduling context of its own: what
// schedule() would do for these two, planned before any effect and then done.
#pragma once

#include <algorithm>

#include "kernel/arch/arch.hpp"
#include "kernel/sched/domain_schedule.hpp"
#include "kernel/sched/scheduler.hpp"

namespace lona::kernel {

struct HandOver {
  Ticks now;
  Ticks used;  // by the running context, up to now
};

// Can it be done in this simple way? The running context must have the budget that any entry needs,
// the next one be usable now, and no other context wait to be released.
[[gnu::noinline]] inline bool plan_hand_over(const Scheduler& s, const Tcb& next, HandOver& plan) {
  SchedContext* const from = s.current_context;
  SchedContext& to = *next.sched_context;
  plan.now = arch::now();
  plan.used = s.consumed + (plan.now - s.now);
  const RefillClock clock{plan.now, s.slack, s.min_budget};
  if (kHasDomains && plan.now >= domain_schedule.end()) return false;
  return from != nullptr && refill_sufficient(*from, plan.used, clock) && to.configured() &&
         !to.queued && refill_ready(to, clock) && refill_sufficient(to, 0, clock) &&
         (s.release_head == nullptr || !refill_ready(*s.release_head, clock));
}

// Charges the running context and makes `to` the one that is charged from now on.
[[gnu::noinline]] inline void hand_over(Scheduler& s, SchedContext& to, const HandOver& plan) {
  const RefillClock clock{plan.now, s.slack, s.min_budget};
  SchedContext& from = *s.current_context;
  refill_charge(from, plan.used, clock);
  from.consumed += plan.used;
  s.consumed = 0;
  s.now = plan.now;
  s.current_context = &to;
  if (!is_round_robin(to)) refill_unblock(to, clock);
  Ticks deadline = plan.now + refill_head(to).amount;
  if (kHasDomains) deadline = std::min(deadline, domain_schedule.end());
  if (s.release_head != nullptr) {
    const Ticks time = refill_head(*s.release_head).time;
    if (time < deadline) deadline = time;
  }
  arch::set_deadline(deadline, plan.now);
}

}  // namespace lona::kernel
