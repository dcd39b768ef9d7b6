// SPDX-License-Identifier: BSD-2-Clause
// What each processor core has for itself. A core finds its own state through its GS base, which
// costs one load; in host tests one variable stands for the running core.
//
// All of it is used under the kernel lock: by the core itself, or by another one while this core
// cannot be anywhere but in user mode, idle, or waiting for the lock.
#pragma once

#include <array>
#include <type_traits>

#include "kernel/arch/core_state.hpp"
#include "kernel/check/trace.hpp"
#include "kernel/config.hpp"
#include "kernel/sched/ready_queue.hpp"
#include "kernel/sched/refill.hpp"
#include "kernel/sched/release_tree.hpp"
#include "kernel/sched/usage.hpp"

namespace lona::kernel {

// With a single domain nothing is spent on domains.
inline constexpr bool kHasDomains = abi::kNumDomains > 1;

struct Scheduler {
  Tcb* current = nullptr;  // null: idle
  SchedContext* current_context = nullptr;
  Ticks now = 0;             // when the running thread was last accounted
  Ticks consumed = 0;        // by the current context, not yet charged
  Tcb* candidate = nullptr;  // woken thread that may run at once
  bool reconsider = false;   // the current thread may have to leave
  bool reprogram = false;    // the deadline may have moved
  Ticks armed = 0;           // the timer interrupts then at the latest; 0 before start()
  ReleaseTree release;
  SchedContext* release_head = nullptr;  // the first of them
  std::conditional_t<kHasDomains, DomainReadyQueues, ReadyQueue> ready;
  Ticks slack = 0;
  Ticks min_budget = 0;

  RefillClock clock() const { return {now, slack, min_budget}; }
};

struct Core {
  ArchCore arch;  // first: the entry code reaches it by fixed offsets
  unsigned id = 0;
  // Another core stopped what runs here, see hold(): the operation that waits for the lock is not
  // made, and the current thread's state is loaded anew.
  bool held = false;
  // It was told to schedule and has not done so yet.
  bool prodded = false;
  Scheduler scheduler;
  std::conditional_t<config::kDebug, TraceRing, NoTrace> trace;
  CoreUsage usage;
};

// The cores that run, by the numbers the ABI gives them. Written during boot only.
struct Cores {
  unsigned count = 1;
  std::array<Core*, config::kMaxCores> all{};

  Core& operator[](unsigned id) const { return *all[id]; }
};
extern Cores cores;

#if __STDC_HOSTED__
extern Core* running_core;
inline Core& this_core() {
  return *running_core;
}
#else
// Not volatile: the answer cannot change while the kernel runs, so one load serves a function.
inline Core& this_core() {
  Core* core;
  asm("movq %%gs:0, %0" : "=r"(core));
  return *core;
}
#endif

inline Scheduler& scheduler() {
  return this_core().scheduler;
}

// Where a thread runs, waits to run, or ran last: the core of its scheduling context while it has
// one. Its FPU state can be in the registers of no other core.
inline Core& core_of(const Tcb& tcb) {
  return cores[tcb.core];
}
// The core whose queues hold the context, and whose current thread may use it.
inline Core& core_of(const SchedContext& context) {
  return cores[context.core];
}

}  // namespace lona::kernel
