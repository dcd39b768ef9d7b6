// SPDX-License-Identifier: BSD-2-Clause
// Replenishments of a scheduling context: the sporadic server of the manual ("Scheduling
// Contexts"), kept in a ring of at most refill_max entries inside the object.
//
// Invariants, checked by the tests against a model that keeps every tick:
//   - times ascend, and entries do not overlap: refill[i].time + refill[i].amount <=
//   refill[i+1].time
//   - the amounts add up to the budget
//   - the head holds at least the minimum budget
// A context whose period equals its budget is round robin: two entries, always usable, the head
// the rest of the slice and the second what the slice has used.
#pragma once

#include "kernel/object/objects.hpp"

namespace lona::kernel {

struct RefillClock {
  Ticks now;
  Ticks slack;       // longest kernel entry: a refill that comes within it counts as there
  Ticks min_budget;  // less is not worth a switch
};

inline bool is_round_robin(const SchedContext& sc) {
  return sc.period == 0;
}
// How many entries fit into a context of this size.
constexpr Word refill_capacity(unsigned size_bits) {
  return ((Word{1} << size_bits) - SchedContext::kHeaderBytes) / sizeof(Refill);
}
static_assert(refill_capacity(abi::kMinSchedContextBits) == SchedContext::kMinRefills);

// More entries than this are never used: charging and waking up may go through all of them. With
// less room than asked for, time that was used comes back later and in larger pieces.
inline constexpr unsigned kMaxRefills = 256;

inline Refill& refill_head(SchedContext& sc) {
  return sc.refills()[sc.refill_head];
}
Refill& refill_at(SchedContext& sc, unsigned index);  // 0: head
inline bool refill_ready(SchedContext& sc, const RefillClock& clock) {
  return refill_head(sc).time <= clock.now + clock.slack;
}
// Would `min_budget` be left after `usage` more ticks?
inline bool refill_sufficient(SchedContext& sc, Ticks usage, const RefillClock& clock) {
  const Ticks amount = refill_head(sc).amount;
  return amount >= usage && amount - usage >= clock.min_budget;
}
Ticks refill_sum(SchedContext& sc);

// Full budget from now on. `period` 0: round robin.
void refill_start(SchedContext& sc, Ticks budget, Ticks period, unsigned max, Ticks now);
// New parameters for a context in use: never more than the new budget in a new period.
void refill_update(SchedContext& sc, Ticks budget, Ticks period, unsigned max,
                   const RefillClock& clock);
// `usage` ticks were run: schedules their return one period after they could first be used.
[[clang::preserve_most]] void charge_sporadic(SchedContext& sc, Ticks usage, Ticks min_budget);
inline void refill_charge(SchedContext& sc, Ticks usage, const RefillClock& clock) {
  if (!is_round_robin(sc)) [[unlikely]]
    return charge_sporadic(sc, usage, clock.min_budget);
  Refill& head = sc.refills()[0];
  Refill& used = sc.refills()[1];
  const Ticks amount = usage < head.amount ? usage : head.amount;
  head.amount -= amount;
  used.amount += amount;
  if (head.amount < clock.min_budget) {
    head.amount += used.amount;
    used.amount = 0;
  }
  head.time = clock.now;
}
// The rest of the slice is given up, and a whole one begins.
inline void end_round_robin_slice(SchedContext& sc, Ticks now) {
  Refill& head = sc.refills()[0];
  Refill& used = sc.refills()[1];
  head = {now, head.amount + used.amount};
  used.amount = 0;
}
// The owner wakes up: unused time from before cannot be saved up.
[[clang::preserve_most]] void refill_unblock(SchedContext& sc, const RefillClock& clock);

}  // namespace lona::kernel
