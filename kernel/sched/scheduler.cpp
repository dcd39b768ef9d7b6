// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/sched/scheduler.hpp"

#include "kernel/arch/arch.hpp"
#include "kernel/fault/fault.hpp"
#include "kernel/sched/domain_schedule.hpp"
#include "kernel/sched/sched_context.hpp"

namespace lona::kernel {

Ticks max_period_us() {
  return (~Ticks{0} >> 3) / arch::ticks_per_us();
}

// --- Time ----------------------------------------------------------------------------------------

namespace {

void account(Scheduler& s) {
  const Ticks now = arch::now();
  if (s.current_context != nullptr) s.consumed += now - s.now;
  s.now = now;
}

}  // namespace

void update_time() {
  account(scheduler());
}

namespace {

// Another core may have made the context wait for its time while its thread was held.
[[gnu::noinline]] void charge_waiting(SchedContext& sc, Ticks usage, const RefillClock& clock) {
  release_remove(sc);
  refill_charge(sc, usage, clock);
  release_insert(sc);
}

[[gnu::always_inline]] inline void charge(SchedContext& sc, Ticks usage, const RefillClock& clock) {
  if (sc.queued) [[unlikely]]
    return charge_waiting(sc, usage, clock);
  refill_charge(sc, usage, clock);
}

}  // namespace

void charge_current(Core& core) {
  Scheduler& s = core.scheduler;
  if (s.current_context != nullptr && s.consumed != 0) {
    SchedContext& sc = *s.current_context;
    if (sc.configured()) {
      charge(sc, s.consumed, s.clock());
      sc.consumed += s.consumed;
    }
    s.reprogram = true;
  }
  s.consumed = 0;
}

namespace {

// The current thread has used its slice: behind its peers, aside, or to its timeout handler.
void end_slice(bool may_fault) {
  Scheduler& s = scheduler();
  Tcb* tcb = s.current;
  reconsider_current();
  if (tcb == nullptr || !tcb->runnable() || tcb->sched_context == nullptr) return;
  SchedContext& sc = *tcb->sched_context;
  if (may_fault && !is_round_robin(sc) && has_timeout_handler(*tcb)) {
    raise_timeout(*tcb);
    return;
  }
  if (refill_ready(sc, s.clock()) && refill_sufficient(sc, 0, s.clock())) {
    make_ready(*tcb);
  } else {
    postpone(sc);
  }
}

void charge_whole_head(SchedContext& sc) {
  Scheduler& s = scheduler();
  const Ticks amount = refill_head(sc).amount;
  const Ticks used = s.consumed;
  charge(sc, used > amount ? used : amount, s.clock());
  sc.consumed += used;
  s.consumed = 0;
  s.reprogram = true;
}

}  // namespace

bool check_budget() {
  Scheduler& s = scheduler();
  if (s.current_context == nullptr) return true;
  SchedContext& sc = *s.current_context;
  if (!sc.configured() || refill_sufficient(sc, s.consumed, s.clock())) return true;
  charge_whole_head(sc);
  end_slice(true);
  return false;
}

void yield_slice() {
  Scheduler& s = scheduler();
  if (s.current_context == nullptr || !s.current_context->configured()) return;
  charge_whole_head(*s.current_context);
  end_slice(false);
}

// --- Threads -------------------------------------------------------------------------------------

bool schedulable(const Tcb& tcb) {
  return tcb.runnable() && tcb.sched_context != nullptr && tcb.sched_context->configured() &&
         !tcb.sched_context->queued;
}

void reconsider_current() {
  scheduler().reconsider = true;
}

void make_ready(Tcb& tcb) {
  core_of(tcb).scheduler.ready.append(tcb);
}

namespace {

void tell(Core& core) {
  if (&core == &this_core() || core.prodded) return;
  core.prodded = true;
  arch::prod(core);
}

// The thread waits on another core: does that one have to look?
void tell_if_above(Core& core, const Tcb& tcb) {
  const Tcb* current = core.scheduler.current;
  if (current == nullptr || current->priority < tcb.priority) {
    core.scheduler.reconsider = true;
    tell(core);
  }
}

}  // namespace

void possible_switch_to(Tcb& tcb) {
  Core& core = core_of(tcb);
  Scheduler& s = core.scheduler;
  if (!schedulable(tcb) || tcb.in_ready_queue || &tcb == s.current) return;
  if (&core != &this_core()) {
    s.ready.append(tcb);
    tell_if_above(core, tcb);
    return;
  }
  if (!s.ready.runs(tcb)) {
    s.ready.append(tcb);
    return;
  }
  if (s.candidate == nullptr) {
    s.candidate = &tcb;
  } else if (s.candidate != &tcb) {
    s.ready.prepend(*s.candidate);
    s.ready.prepend(tcb);
    s.candidate = nullptr;
    s.reconsider = true;
  }
}

void dequeue(Tcb& tcb) {
  hold(tcb);
  Scheduler& s = core_of(tcb).scheduler;
  s.ready.remove(tcb);
  if (s.candidate == &tcb) {
    s.candidate = nullptr;
    s.reconsider = true;
  }
  if (tcb.sched_context != nullptr) release_remove(*tcb.sched_context);
  if (&tcb == s.current) s.reconsider = true;
}

void set_thread_priority(Tcb& tcb, unsigned priority) {
  Core& core = core_of(tcb);
  Scheduler& s = core.scheduler;
  const bool queued = tcb.in_ready_queue;
  if (queued) s.ready.remove(tcb);
  tcb.priority = static_cast<std::uint8_t>(priority);
  if (queued) possible_switch_to(tcb);
  s.reconsider = true;
  if (&tcb == s.current) tell(core);
}

void set_thread_domain(Tcb& tcb, std::uint8_t domain) {
  if (tcb.domain == domain) return;
  Scheduler& s = core_of(tcb).scheduler;
  const bool ready = tcb.in_ready_queue || s.candidate == &tcb;
  s.ready.remove(tcb);
  if (s.candidate == &tcb) s.candidate = nullptr;
  tcb.domain = domain;
  if (ready) possible_switch_to(tcb);
  s.reconsider = true;
}

void domain_changed() {
  Scheduler& s = scheduler();
  if (s.candidate != nullptr) s.ready.prepend(*s.candidate);
  s.candidate = nullptr;
  s.ready.run_domain(domain_schedule.domain());
  s.reconsider = s.reprogram = true;
}

void resume_on_context(Tcb& tcb) {
  const Scheduler& s = scheduler();
  SchedContext* sc = tcb.sched_context;
  if (sc == nullptr || !sc->configured() || !tcb.runnable() ||
      &tcb == core_of(tcb).scheduler.current) {
    return;
  }
  if (refill_ready(*sc, s.clock()) && refill_sufficient(*sc, 0, s.clock())) {
    release_remove(*sc);
    possible_switch_to(tcb);
  } else {
    postpone(*sc);
  }
}

// --- Other cores ---------------------------------------------------------------------------------

void hold(Tcb& tcb) {
  Core& core = core_of(tcb);
  if (&core == &this_core() || core.scheduler.current != &tcb || core.held) return;
  arch::stop(core);
  core.held = true;
  tcb.context.restart();
  account(core.scheduler);
}

Tcb* resume_held() {
  Core& core = this_core();
  core.held = false;
  update_time();
  check_budget();
  Scheduler& s = core.scheduler;
  s.reconsider = true;
  s.reprogram = true;
  if (s.current != nullptr) arch::switch_to(*s.current);
  return schedule();
}

void move_to_core(Tcb& tcb, unsigned core) {
  if (tcb.core == core) return;
  dequeue(tcb);
  arch::release_fpu(tcb);
  Scheduler& s = core_of(tcb).scheduler;
  if (s.current == &tcb) {
    s.current = nullptr;
    s.reconsider = true;
  }
  tcb.core = static_cast<std::uint8_t>(core);
}

// --- Release queue -------------------------------------------------------------------------------

void release_insert(SchedContext& sc) {
  Core& core = core_of(sc);
  Scheduler& s = core.scheduler;
  if (sc.queued) return;
  s.release.insert(sc);
  sc.queued = true;
  if (s.release_head != nullptr && !ReleaseTree::before(sc, *s.release_head)) return;
  s.release_head = &sc;
  s.reprogram = true;
  tell(core);
}

[[gnu::noinline]] void release_remove_waiting(SchedContext& sc) {
  Scheduler& s = core_of(sc).scheduler;
  s.release.remove(sc);
  sc.queued = false;
  if (s.release_head != &sc) return;
  s.release_head = s.release.first();
  s.reprogram = true;
}

void postpone(SchedContext& sc) {
  if (sc.tcb != nullptr) {
    Scheduler& s = core_of(sc).scheduler;
    s.ready.remove(*sc.tcb);
    if (s.candidate == sc.tcb) s.candidate = nullptr;
    if (s.current == sc.tcb) s.reconsider = true;
  }
  release_insert(sc);
}

namespace {

// Contexts whose time has come again.
void release_due() {
  Scheduler& s = scheduler();
  while (s.release_head != nullptr && refill_ready(*s.release_head, s.clock())) {
    SchedContext& sc = *s.release_head;
    release_remove(sc);
    if (sc.tcb != nullptr) possible_switch_to(*sc.tcb);
  }
}

// The thread to run, taken out of the ready queue; null for none.
Tcb* choose(Tcb* current) {
  Scheduler& s = scheduler();
  Tcb* candidate = s.candidate;
  if (candidate != nullptr && !schedulable(*candidate)) candidate = nullptr;
  if (current != nullptr && !current->in_ready_queue && candidate != nullptr &&
      candidate->priority <= current->priority) {
    // Programs written for the ABI count on this order: behind an equal, but before those that
    // wait at a lower priority.
    if (candidate->priority == current->priority) {
      s.ready.append(*candidate);
    } else {
      s.ready.prepend(*candidate);
    }
    candidate = nullptr;
  }
  if (current != nullptr && !current->in_ready_queue) {
    // It keeps the processor unless somebody stands above it.
    s.ready.prepend(*current);
  }
  if (candidate != nullptr) {
    if (s.ready.empty() || s.ready.highest() <= candidate->priority) return candidate;
    s.ready.prepend(*candidate);
  }
  Tcb* first = s.ready.first();
  if (first != nullptr) s.ready.remove(*first);
  return first;
}

void switch_context(SchedContext* next) {
  Scheduler& s = scheduler();
  if (next == s.current_context) return;
  charge_current(this_core());
  s.current_context = next;
  // Constant bandwidth: time not used before now is lost each time the context comes in.
  if (next != nullptr && !next->sporadic) refill_unblock(*next, s.clock());
  s.reprogram = true;
}

void switch_thread(Tcb* next) {
  Scheduler& s = scheduler();
  if (next == s.current && next != nullptr) return;
  s.current = next;
  if (next != nullptr) {
    arch::switch_to(*next);
    if (next->yield_to != nullptr) complete_yield(*next);
  } else {
    arch::switch_to_idle();
  }
}

}  // namespace

void arm_deadline() {
  Scheduler& s = scheduler();
  Ticks deadline = kHasDomains ? domain_schedule.end() : ~Ticks{0};
  if (s.current_context != nullptr && s.current_context->configured()) {
    const Ticks slice_end = s.now + refill_head(*s.current_context).amount - s.consumed;
    if (slice_end < deadline) deadline = slice_end;
  }
  if (s.release_head != nullptr) {
    const Ticks time = refill_head(*s.release_head).time;
    if (time < deadline) deadline = time;
  }
  s.armed = deadline;
  arch::set_deadline(deadline, s.now);
}

Tcb* schedule() {
  Scheduler& s = scheduler();
  if (kHasDomains && s.now >= domain_schedule.end()) {
    domain_schedule.advance(s.now);
    domain_changed();
  }
  if (s.release_head != nullptr) release_due();
  if (s.candidate != nullptr || s.reconsider ||
      (s.current != nullptr && !schedulable(*s.current))) {
    Tcb* current = s.current;
    if (current != nullptr && !schedulable(*current)) current = nullptr;
    for (;;) {
      Tcb* next = choose(current);
      s.candidate = nullptr;
      current = nullptr;
      // A context that comes in may turn out to have nothing left.
      if (next != nullptr && next->sched_context != s.current_context) {
        charge_current(this_core());
        SchedContext& sc = *next->sched_context;
        if (!refill_ready(sc, s.clock()) || !refill_sufficient(sc, 0, s.clock())) {
          postpone(sc);
          continue;
        }
      }
      switch_context(next != nullptr ? next->sched_context : nullptr);
      switch_thread(next);
      break;
    }
    s.reconsider = false;
  }
  if (s.reprogram) {
    arm_deadline();
    s.reprogram = false;
  }
  return s.current;
}

}  // namespace lona::kernel
