// SPDX-License-Identifier: BSD-2-Clause
// Workers among themselves: stealing, sleeping and rousing, pausing, and when the memory of an
// ended process may go.
#pragma once

#include "vm/sched/state.hpp"

namespace lona::vm {

// Runs processes until done(w, context); scheduler.cpp.
void work(Worker& w, bool (*done)(const Worker& w, const void* context), const void* context);

// A process out of another worker's queue, or null.
Process* steal(Worker& w);
// Wakes a worker that sleeps, if there is one: there is more to do than `w` can at once.
void call_for_help(Worker& w);
void rouse(Worker& w);
// Until something may have come for it. Others do not count on it meanwhile.
void sleep_worker(Worker& w);

// Nothing that `w` has looked up before is used any more. Waits while another worker pauses all.
void begin_slice(Worker& w);
// An ended process: freed at once, or when no other worker can have it in its hands.
void retire(Worker& w, Process& p);

// While one worker looks at what others change without a lock, they stand between two slices.
class AllPaused {
 public:
  explicit AllPaused(Worker& w);
  ~AllPaused();
  AllPaused(const AllPaused&) = delete;
  AllPaused& operator=(const AllPaused&) = delete;
  // No other worker is in the middle of a slice.
  bool all_between_slices(const Worker& w) const;

 private:
  Vm::State& state_;
};

// Gives back code and values of vars that nothing reaches any more; sched/reclaim.cpp. Between two
// slices of `w`.
void reclaim_code(Worker& w);

// Starts the threads of all workers but the first; they wait for State::open.
void start_workers(Vm::State& s);
void stop_workers(Vm::State& s);
// Lets them run processes, until close_workers.
void open_workers(Vm::State& s);
void close_workers(Vm::State& s);

}  // namespace lona::vm
