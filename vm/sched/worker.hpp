// SPDX-License-Identifier: BSD-2-Clause
// A worker: one thread that runs processes, with all that it needs without asking others. A process
// belongs to one worker at a time: to the one that runs it, in whose queue it is, or that ran it
// last; Process::worker_ says which.
//
// What other workers may touch: `queue`, the timers (under their lock), `seen` and `asleep`.
//
// Memory of ended processes is given back when every worker has begun a slice since (`seen`), as
// another worker may just have found the process in the table.
#pragma once

#include "vm/data/text_place.hpp"
#include "vm/heap/allocator.hpp"
#include "vm/sched/run_queue.hpp"
#include "vm/sched/send_after.hpp"
#include "vm/sched/timers.hpp"

namespace lona::vm {

class Vm;

struct Worker {
  static constexpr std::uint64_t kOffline = ~std::uint64_t{0};
  // References say which worker has made them.
  static constexpr unsigned kReferenceShift = 52;

  Worker(Vm& vm, unsigned index)
      : vm(vm), index(index), next_ref((std::uint64_t{index} << kReferenceShift) + 1) {}

  Vm& vm;
  const unsigned index;
  Allocator allocator;
  RunQueue queue;
  SpinLock timer_lock;
  Timers timers;
  MessageTimers message_timers{allocator};
  TextPlaces text_places;
  Process* running = nullptr;
  std::uint64_t next_ref;
  std::uintptr_t native_stack_base = 0;
  // Of the test mode with a seed: the state of its random numbers, and the slices so far.
  std::uint64_t random = 0, history = 0;
  // Ended processes whose memory others may still look at, oldest first.
  Process* ended_first = nullptr;
  Process* ended_last = nullptr;
  std::atomic<std::uint64_t> seen{kOffline};
  std::atomic<bool> asleep{false};
  std::atomic<bool> paused_inside{false};  // in the middle of a slice (AllPaused)
};

inline std::uint32_t random_below(Worker& w, std::uint32_t bound) {
  w.random = w.random * 6364136223846793005 + 1442695040888963407;
  return static_cast<std::uint32_t>(w.random >> 33) % bound;
}

}  // namespace lona::vm
