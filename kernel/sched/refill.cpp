// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/sched/refill.hpp"

#include <cassert>

namespace lona::kernel {

namespace {

unsigned wrap(const SchedContext& sc, unsigned index) {
  return index >= sc.refill_max ? index - sc.refill_max : index;
}

Refill& refill_tail(SchedContext& sc) {
  return refill_at(sc, sc.refill_count - 1);
}

void pop_head(SchedContext& sc) {
  sc.refill_head = wrap(sc, sc.refill_head + 1);
  --sc.refill_count;
}

// Gives the head's time to the next entry, which starts that much earlier: they stay apart.
void merge_head_into_next(SchedContext& sc) {
  const Ticks amount = refill_head(sc).amount;
  pop_head(sc);
  Refill& next = refill_head(sc);
  next.amount += amount;
  next.time -= amount;
}

void append(SchedContext& sc, Refill refill) {
  if (sc.refill_count > 0) {
    Refill& tail = refill_tail(sc);
    if (tail.time + tail.amount >= refill.time) {
      tail.amount += refill.amount;
      return;
    }
    if (sc.refill_count == sc.refill_max) {
      // No room: what is left of the head has to wait for the next entry.
      if (sc.refill_count == 1) {
        tail.time = refill.time - tail.amount;
        tail.amount += refill.amount;
        return;
      }
      merge_head_into_next(sc);
    }
  }
  ++sc.refill_count;
  refill_tail(sc) = refill;
}

}  // namespace

Refill& refill_at(SchedContext& sc, unsigned index) {
  return sc.refills()[wrap(sc, sc.refill_head + index)];
}

Ticks refill_sum(SchedContext& sc) {
  Ticks sum = 0;
  for (unsigned i = 0; i < sc.refill_count; ++i) sum += refill_at(sc, i).amount;
  return sum;
}

void refill_start(SchedContext& sc, Ticks budget, Ticks period, unsigned max, Ticks now) {
  sc.budget = budget;
  sc.period = period;
  sc.refill_max = max < kMaxRefills ? max : kMaxRefills;
  sc.refill_head = 0;
  sc.refill_count = period == 0 ? 2 : 1;
  sc.refills()[0] = {now, budget};
  sc.refills()[1] = {now, 0};
}

void refill_update(SchedContext& sc, Ticks budget, Ticks period, unsigned max,
                   const RefillClock& clock) {
  Refill head = refill_head(sc);
  const bool was_round_robin = is_round_robin(sc);
  if (head.time <= clock.now + clock.slack || was_round_robin) head.time = clock.now;
  if (head.amount > budget) head.amount = budget;
  refill_start(sc, budget, period, max, clock.now);
  sc.refills()[0] = head;
  const Ticks rest = budget - head.amount;
  if (period == 0) {
    sc.refills()[0].amount = budget;
  } else if (rest > 0) {
    append(sc, {head.time + period, rest});
    while (refill_head(sc).amount < clock.min_budget && sc.refill_count > 1) {
      merge_head_into_next(sc);
    }
  }
}

[[gnu::noinline, clang::preserve_most]] void charge_sporadic(SchedContext& sc, Ticks usage,
                                                             Ticks min_budget) {
  // Whole entries that were used up come back a period after their own time.
  while (refill_head(sc).amount <= usage) {
    const Refill head = refill_head(sc);
    usage -= head.amount;
    if (sc.refill_count == 1) {
      refill_head(sc).time = head.time + sc.period;
    } else {
      pop_head(sc);
      append(sc, {head.time + sc.period, head.amount});
    }
    if (sc.refill_count == 1 && usage > 0) {
      // Overrun of the whole budget: the rest is paid by starting later.
      refill_head(sc).time += usage;
      usage = 0;
      break;
    }
  }
  if (usage > 0) {
    Refill& head = refill_head(sc);
    const Refill back{head.time + sc.period, usage};
    head.amount -= usage;
    head.time += usage;
    append(sc, back);
  }
  while (refill_head(sc).amount < min_budget && sc.refill_count > 1) {
    merge_head_into_next(sc);
  }
}

[[gnu::noinline, clang::preserve_most]] void refill_unblock(SchedContext& sc,
                                                            const RefillClock& clock) {
  if (is_round_robin(sc) || !refill_ready(sc, clock)) return;
  refill_head(sc).time = clock.now;
  while (sc.refill_count > 1) {
    const Refill head = refill_head(sc);
    if (refill_at(sc, 1).time > head.time + head.amount) break;
    pop_head(sc);
    refill_head(sc).amount += head.amount;
    refill_head(sc).time = head.time;
  }
}

}  // namespace lona::kernel
