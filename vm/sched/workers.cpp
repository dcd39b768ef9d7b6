// SPDX-License-Identifier: BSD-2-Clause
#include "vm/sched/workers.hpp"

#include <algorithm>

#include "vm/platform/platform.hpp"

namespace lona::vm {

namespace {

// So often a worker looks around before it falls asleep.
constexpr unsigned kLooksBeforeSleep = 200;

bool anything_to_steal(const Vm::State& s, const Worker& w) {
  for (unsigned i = 0; i < s.worker_count; ++i) {
    if (s.workers[i] != &w && !s.workers[i]->queue.empty()) return true;
  }
  return false;
}

std::uint64_t next_deadline(Worker& w) {
  Vm::State& s = w.vm.state();
  std::uint64_t deadline = platform::kNoDeadline;
  {
    Guard guard(w.timer_lock, s.several);
    if (!w.timers.empty()) deadline = w.timers.next_deadline();
  }
  // Nobody says when a mailbox that was full has room for what another realm has sent.
  constexpr std::uint64_t kLookNs = 1'000'000;
  if (w.index != 0 || !s.realms.holding()) return deadline;
  return std::min(deadline, platform::now_ns() + kLookNs);
}

void sleep_until(Worker& w, std::uint64_t deadline) {
  if (w.index == 0) {
    platform::wait(deadline);
  } else {
    platform::nap(w.index, deadline);
  }
}

}  // namespace

Process* steal(Worker& w) {
  Vm::State& s = w.vm.state();
  for (unsigned i = 1; i < s.worker_count; ++i) {
    Worker& other = *s.workers[(w.index + i) % s.worker_count];
    if (Process* p = other.queue.steal()) return p;
  }
  return nullptr;
}

void rouse(Worker& w) {
  bool asleep = true;
  if (w.asleep.compare_exchange_strong(asleep, false)) platform::rouse(w.index);
}

void call_for_help(Worker& w) {
  Vm::State& s = w.vm.state();
  if (s.idle.load() == 0) return;
  for (unsigned i = 1; i < s.worker_count; ++i) {
    Worker& other = *s.workers[(w.index + i) % s.worker_count];
    if (other.asleep.load(std::memory_order_relaxed)) return rouse(other);
  }
}

namespace {
// Others do not count on it: it looks at no process.
void sleep_offline(Worker& w) {
  Vm::State& s = w.vm.state();
  std::uint64_t deadline = next_deadline(w);
  for (unsigned i = 0; i < kLooksBeforeSleep; ++i) {
    if (!w.queue.empty() || anything_to_steal(s, w) || s.stop.load() || !s.open.load()) return;
    if (i % 8 == 7) platform::yield_thread();
    __builtin_ia32_pause();
  }
  s.idle.fetch_add(1);
  w.asleep.store(true);
  // What was queued before others could see it asleep: pairs with push, then look at `idle`.
  if (w.queue.empty() && !anything_to_steal(s, w) && !s.stop.load() && s.open.load()) {
    sleep_until(w, deadline);
  }
  w.asleep.store(false);
  s.idle.fetch_sub(1);
}
}  // namespace

void sleep_worker(Worker& w) {
  Vm::State& s = w.vm.state();
  if (!s.several) return sleep_until(w, next_deadline(w));
  w.seen.store(Worker::kOffline);
  sleep_offline(w);
  begin_slice(w);
}

// --- Pausing ------------------------------------------------------------------------------------

namespace {
void pause(Worker& w) {
  Vm::State& s = w.vm.state();
  do {
    w.seen.store(Worker::kOffline);
    while (s.pausing.load()) platform::yield_thread();
    w.seen.store(s.epoch.load());
  } while (s.pausing.load());
}
}  // namespace

// --- Memory of ended processes ------------------------------------------------------------------

void begin_slice(Worker& w) {
  Vm::State& s = w.vm.state();
  if (!s.several) return;
  w.seen.store(s.epoch.load());
  // Pairs with AllPaused, which sets the flag and then looks at `seen`.
  if (s.pausing.load()) pause(w);
  if (w.ended_first == nullptr) return;
  s.epoch.fetch_add(1);
  std::uint64_t oldest = Worker::kOffline;
  for (unsigned i = 0; i < s.worker_count; ++i) {
    oldest = std::min(oldest, s.workers[i]->seen.load());
  }
  while (w.ended_first != nullptr && w.ended_first->wait_deadline_ < oldest) {
    Process* p = w.ended_first;
    w.ended_first = p->queue_next_;
    ProcessTable::free(p, w);
  }
  if (w.ended_first == nullptr) w.ended_last = nullptr;
}

void retire(Worker& w, Process& p) {
  Vm::State& s = w.vm.state();
  s.table.remove(p);
  if (!s.several) return ProcessTable::free(&p, w);
  p.wait_deadline_ = s.epoch.load();  // of no use to it any more
  p.queue_next_ = nullptr;
  (w.ended_last == nullptr ? w.ended_first : w.ended_last->queue_next_) = &p;
  w.ended_last = &p;
}

AllPaused::AllPaused(Worker& w) : state_(w.vm.state()) {
  if (!state_.several) return;
  bool free = false;
  while (!state_.pausing.compare_exchange_strong(free, true)) {
    // Another one pauses everybody, this worker included; it holds nothing of theirs meanwhile.
    w.paused_inside.store(true);
    platform::yield_thread();
    free = false;
  }
  w.paused_inside.store(false);
  for (unsigned i = 0; i < state_.worker_count; ++i) {
    Worker& other = *state_.workers[i];
    if (&other == &w) continue;
    while (other.seen.load() != Worker::kOffline && !other.paused_inside.load()) {
      platform::yield_thread();
    }
  }
}

AllPaused::~AllPaused() {
  if (state_.several) state_.pausing.store(false);
}

bool AllPaused::all_between_slices(const Worker& w) const {
  if (!state_.several) return true;
  for (unsigned i = 0; i < state_.worker_count; ++i) {
    const Worker& other = *state_.workers[i];
    if (&other != &w && other.paused_inside.load()) return false;
  }
  return true;
}

// --- Threads ------------------------------------------------------------------------------------

namespace {

bool closed(const Worker& w, const void*) {
  return !w.vm.state().open.load(std::memory_order_relaxed);
}

void thread_body(void* argument) {
  auto& w = *static_cast<Worker*>(argument);
  Vm::State& s = w.vm.state();
  while (!s.quit.load()) {
    s.active.fetch_add(1);
    if (s.open.load()) work(w, &closed, nullptr);
    s.active.fetch_sub(1);
    while (!s.open.load() && !s.quit.load()) platform::nap(w.index, platform::kNoDeadline);
  }
}

void rouse_all(Vm::State& s) {
  for (unsigned i = 1; i < s.worker_count; ++i) platform::rouse(i);
}

}  // namespace

void start_workers(Vm::State& s) {
  for (unsigned i = 1; i < s.worker_count; ++i) {
    if (!platform::start_worker(i, &thread_body, s.workers[i])) {
      platform::panic("no thread for a worker");
    }
  }
}

void stop_workers(Vm::State& s) {
  if (!s.several) return;
  s.quit.store(true);
  rouse_all(s);
  platform::join_workers();
}

void open_workers(Vm::State& s) {
  if (!s.several) return;
  s.open.store(true);
  rouse_all(s);
}

void close_workers(Vm::State& s) {
  if (!s.several) return;
  s.open.store(false);
  rouse_all(s);
  while (s.active.load() != 0) platform::yield_thread();
}

}  // namespace lona::vm
