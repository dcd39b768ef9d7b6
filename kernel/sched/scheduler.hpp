// SPDX-License-Identifier: BSD-2-Clause
// Which thread runs, and on whose time.
//
// The scheduler's whole state is one object per core (core.hpp); operations only note what they
// want (a candidate to switch to, or that the current thread may have to leave), and schedule(),
// which every kernel entry calls last, is the only place that switches.
//
// Invariants between operations:
//   - the running thread is in no queue
//   - a thread in the ready queue is runnable and its scheduling context has a usable refill
//   - a scheduling context in the release queue waits for its head refill; its thread is not in
//     the ready queue
//   - threads and contexts are in the queues of their own core (core_of); a change that another
//     core must act on ends in a prod()
#pragma once

#include "kernel/sched/core.hpp"

namespace lona::kernel {

inline constexpr Ticks kKernelEntryUs = 10;  // assumed longest entry
inline constexpr Ticks kMinBudgetUs = 2 * kKernelEntryUs;
Ticks max_period_us();

// --- Time ----------------------------------------------------------------------------------------
// At each entry: accounts for the time since the last one.
void update_time();
// Is there budget to do what the entry asks? If not the current thread has lost the processor.
bool check_budget();
// Charges the core's current context for what it consumed so far.
void charge_current(Core& core);
// The slice of the current thread ends now: charges it all (Yield).
void yield_slice();

// --- Threads -------------------------------------------------------------------------------------
// Runnable, with a context whose time is available.
bool schedulable(const Tcb& tcb);
// The thread became runnable, or got a context: it may preempt the current one.
void possible_switch_to(Tcb& tcb);
// Into the ready queue, at the end of its priority.
void make_ready(Tcb& tcb);
// Out of all scheduling queues.
void dequeue(Tcb& tcb);
void reconsider_current();
void set_thread_priority(Tcb& tcb, unsigned priority);
void set_thread_domain(Tcb& tcb, std::uint8_t domain);
// Another entry of the domain schedule runs.
void domain_changed();
// Runnable with time: ready or candidate; with a context out of time: waits for its refill.
void resume_on_context(Tcb& tcb);

// --- Other cores ---------------------------------------------------------------------------------
// If the thread runs on another core, it does not from here on, until that core gets the kernel
// lock: its registers are in its context, at an instruction that can be (re)started, and its time
// is accounted. Needed before anything that a running thread relies on changes.
void hold(Tcb& tcb);
// The entry of a core whose thread was held.
Tcb* resume_held();
// The thread gets a context of another core: nothing of it stays behind on the old one.
void move_to_core(Tcb& tcb, unsigned core);

// --- Release queue -------------------------------------------------------------------------------
void release_insert(SchedContext& sc);
void release_remove_waiting(SchedContext& sc);
inline void release_remove(SchedContext& sc) {
  if (sc.queued) release_remove_waiting(sc);
}
// Puts a context that has no time now aside until it has.
void postpone(SchedContext& sc);

// The next timer interrupt: when the current context's budget ends, or another one's time comes.
void arm_deadline();

// Applies the decision; returns the thread to resume.
Tcb* schedule();

}  // namespace lona::kernel
