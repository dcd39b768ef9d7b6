// SPDX-License-Identifier: BSD-2-Clause
// A worker's loop: who runs next, when to look at the clock and the console, when to sleep.
//
// A process wakes up on the worker that woke it, as that one has just touched what the two share;
// a worker with nothing to do takes from others. The first worker also looks after the console.
#include <algorithm>

#include "vm/heap/collector.hpp"
#include "vm/interp/interp.hpp"
#include "vm/platform/kernel_objects.hpp"
#include "vm/process/worker.hpp"
#include "vm/sched/state.hpp"
#include "vm/sched/workers.hpp"

namespace lona::vm {

namespace {

// So many reductions or slices may pass between two looks at clock and console; after a slice of so
// many, the clock is looked at.
constexpr std::int64_t kLongSlice = 1'000;
constexpr std::int64_t kReductionsBetweenLooks = 20'000;
constexpr unsigned kSlicesBetweenLooks = 64;
// Of a traced process. A call is begun when it leaves a reduction; the next one finds none to take.
constexpr std::int64_t kSliceOfOneCall = 2;
constexpr std::int64_t kSliceToNextCall = 1;

bool is_first(const Worker& w) {
  return w.index == 0;
}

void append(Worker& w, Process& p) {
  Vm::State& s = w.vm.state();
  p.state_.store(Process::State::kRunnable, std::memory_order_relaxed);
  w.queue.push(p, s.several);
  // It has used up its slice and others wait: time for another worker to help.
  if (s.several && w.queue.length() > 1) call_for_help(w);
}

void sleep(Worker& w, Process& p) {
  Vm::State& s = w.vm.state();
  if (p.wait_deadline_ != 0) {
    Guard guard(w.timer_lock, s.several);
    w.timers.set(p, p.wait_deadline_);
  }
  if (p.waits_for_console_) {
    Guard guard(s.console_lock, s.several);
    if (!p.in_console_list_) {
      p.in_console_list_ = true;
      p.console_next_ = s.console_waiters;
      s.console_waiters = &p;
      platform::want_input();
      // The first worker looks for input, and may have gone to sleep when nobody wanted any.
      if (!is_first(w)) rouse(s.first());
    }
  }
  // From here on others may wake it, and run it.
  p.state_.store(Process::State::kWaiting);
  // What came before they could: pairs with the order push, then look at the state, in deliver.
  if (p.arrived_.load() != nullptr || p.woken_.load()) make_ready(w, p);
}

// A slice of a process's collection. True when that is over and the process may run.
bool collected(Worker& w, Process& p) {
  Vm::State& s = w.vm.state();
  p.reductions_ += s.options.slice_reductions;
  switch (continue_collection(p)) {
    case Collected::kDone:
      return true;
    case Collected::kUnfinished:
      append(w, p);
      return false;
    case Collected::kNoMemory:
      break;
  }
  p.exit_reason_ = s.oom_reason;
  end_process(p);
  return false;
}

std::int64_t slice_of(Worker& w) {
  const VmOptions& options = w.vm.state().options;
  if (options.seed == 0) return options.slice_reductions;
  return 1 + random_below(w, 1u << random_below(w, 9));  // short ones more often
}

// What was done in which order, as one number.
void note_slice(Worker& w, const Process& p, std::int64_t used) {
  const std::uint64_t what = p.pid().bits() * 1024 + static_cast<std::uint64_t>(used);
  w.history = (w.history ^ what) * 0x9e3779b97f4a7c15;
  w.history ^= w.history >> 29;
}

std::int64_t run_one(Worker& w, Process& p) {
  Vm::State& s = w.vm.state();
  begin_slice(w);
  if (s.code.due() || s.inherited_lists.load(std::memory_order_relaxed) != 0) reclaim_code(w);
  w.running = &p;
  p.state_.store(Process::State::kRunning, std::memory_order_relaxed);
  p.woken_.store(false, std::memory_order_relaxed);
  receive_due_signals(p);
  std::int64_t slice = slice_of(w);
  if (p.exit_pending_) {
    end_process(p);
    return 1;
  }
  if (p.collection_ != nullptr && !collected(w, p)) return slice;
  p.waits_for_console_ = false;
  if (p.tracer_.load(std::memory_order_relaxed) != 0) {
    slice = trace_call(p) ? kSliceOfOneCall : kSliceToNextCall;
  }
  const bool asked = p.asked_to_collect_.load(std::memory_order_relaxed);
  if (asked) {
    p.asked_to_collect_.store(false, std::memory_order_relaxed);
    p.collect_all_ = p.collect_if_room_ = true;
  }
  bool collect_first = asked || (s.options.collect_always && !p.collected_);
  if (collect_first) {
    p.collect_ = true;
    p.reductions_saved_ = slice;
  }
  RunResult result = run_slice(p, collect_first ? 0 : slice);
  w.running = nullptr;
  std::int64_t left = p.collect_ ? p.reductions_saved_ : p.reductions_left_;
  std::int64_t used = slice > left ? slice - left : 1;
  p.reductions_ += static_cast<std::uint64_t>(used);
  if (s.options.seed != 0) note_slice(w, p, used);
  if (result == RunResult::kExit || p.exit_pending_) {
    end_process(p);
  } else if (result == RunResult::kYield) {
    append(w, p);
  } else {
    sleep(w, p);
  }
  return used;
}

// The message goes out, unless nobody is there to get it any more.
void send_due(Worker& w, MessageTimer& timer) {
  Vm::State& s = w.vm.state();
  Fragment* message = timer.message;
  Process* target = nullptr;
  if (timer.target.is_pid()) {
    target = s.table.find(timer.target);
  } else {
    Guard guard(s.names_lock, s.several);
    target = static_cast<Process*>(s.names.find(timer.target.entry()));
  }
  {
    Guard guard(w.timer_lock, s.several);
    w.message_timers.remove(&timer, w.allocator);
  }
  if (target != nullptr) {
    deliver(w, *target, message);
  } else {
    free_fragment(w.allocator, message);
  }
}

void wake_sleepers(Worker& w) {
  Vm::State& s = w.vm.state();
  std::uint64_t now = 0;
  for (;;) {
    MessageTimer* message = nullptr;
    Process* sleeper = nullptr;
    {
      Guard guard(w.timer_lock, s.several);
      if (w.timers.empty()) return;
      if (now == 0) now = platform::now_ns();
      Timer* timer = w.timers.take_due(now);
      if (timer == nullptr) return;
      if (timer->what == Timer::What::kMessage) {
        // From here on it cannot be taken back.
        message = static_cast<MessageTimer*>(timer);
        message->taken = true;
      } else {
        sleeper = static_cast<Process*>(timer);
        sleeper->woken_.store(true, std::memory_order_relaxed);
      }
    }
    if (message != nullptr) {
      send_due(w, *message);
    } else {
      make_ready(w, *sleeper);
    }
  }
}

// One round: processes until a look is due.
void run_round(Worker& w) {
  Vm::State& s = w.vm.state();
  wake_sleepers(w);
  std::int64_t reductions = kReductionsBetweenLooks;
  for (unsigned i = 0; i < kSlicesBetweenLooks && reductions > 0; ++i) {
    if (s.stop.load(std::memory_order_relaxed)) break;
    // Others wait for what only the first worker can do: print, for instance.
    if (s.several && is_first(w) && platform::first_is_wanted()) break;
    if (is_first(w) && platform::calls_have_ended()) break;
    if (s.options.seed != 0) w.queue.rotate(random_below(w, std::min(w.queue.length(), 8u) + 1));
    Process* p = w.queue.pop(s.several);
    if (p == nullptr) break;
    const std::int64_t used = run_one(w, *p);
    reductions -= used;
    // Who sleeps does not wait for the end of the round behind other long slices.
    if (used >= kLongSlice && reductions > 0) wake_sleepers(w);
  }
  begin_slice(w);
  // With nothing to run, platform::wait is next: it looks itself, and a look before it could take
  // the event that ought to end the wait.
  if (!is_first(w) || w.queue.empty()) return;
  check_interrupt(s);
  s.realms.poll(w);
  s.kernel_calls.poll(w);
  if (s.console_waiters == nullptr) return;
  // A look at the console costs system calls.
  std::uint64_t now = platform::now_ns();
  if (now < s.next_console_look) return;
  s.next_console_look = now + 1'000'000;
  wake_console_waiters(s);
}

// Nothing can run. Those who wait for the console try once more first, as writing output may have
// taken input in as well.
void rest(Worker& w) {
  Vm::State& s = w.vm.state();
  if (Process* p = steal(w)) {
    p->worker_ = &w;
    w.queue.push(*p, s.several);
    return;
  }
  if (is_first(w) && s.console_waiters != nullptr && !s.console_tried) {
    s.console_tried = true;
    wake_console_waiters(s);
    return;
  }
  if (is_first(w)) s.console_tried = false;
  if (is_first(w) && s.realms.holding()) {
    s.realms.poll_held(w);
    if (!w.queue.empty()) return;
  }
  sleep_worker(w);
  if (!is_first(w)) return;
  check_interrupt(s);
  s.realms.poll(w);
  s.kernel_calls.poll(w);
  wake_console_waiters(s);
}

}  // namespace

void work(Worker& w, bool (*done)(const Worker& w, const void* context), const void* context) {
  w.native_stack_base = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  begin_slice(w);
  while (!done(w, context)) {
    run_round(w);
    if (w.queue.empty() && !done(w, context)) rest(w);
  }
  w.seen.store(Worker::kOffline);
}

void make_ready(Worker& w, Process& p) {
  Process::State waiting = Process::State::kWaiting;
  if (p.state_.load() != waiting ||
      !p.state_.compare_exchange_strong(waiting, Process::State::kRunnable)) {
    return;
  }
  Vm::State& s = w.vm.state();
  if (p.wait_deadline_ != 0) {
    Guard guard(p.worker_->timer_lock, s.several);
    p.worker_->timers.cancel(p);
  }
  Worker& target = p.pinned_ ? *p.worker_ : w;
  p.worker_ = &target;
  target.queue.push(p, s.several);
  if (!s.several) return;
  if (&target != &w) {
    rouse(target);
  } else if (w.queue.length() > 1) {
    call_for_help(w);
  }
}

void wake(Worker& w, Process& p) {
  p.woken_.store(true);
  make_ready(w, p);
}

void wake_console_waiters(Vm::State& s) {
  Guard guard(s.console_lock, s.several);
  Process* p = s.console_waiters;
  s.console_waiters = nullptr;
  while (p != nullptr) {
    Process* next = p->console_next_;
    p->in_console_list_ = false;
    wake(s.first(), *p);
    p = next;
  }
}

void check_interrupt(Vm::State& s) {
  platform::poll();
  if (!platform::take_interrupt()) return;
  if (!s.foreground.is_nil() && s.table.find(s.foreground) != nullptr) {
    s.first().vm.kill(s.foreground, make_keyword("interrupted"));
    return;
  }
  if (s.hooks != nullptr && s.hooks->interrupted != nullptr) {
    Guard guard(s.console_lock, s.several);
    s.hooks->interrupted(*s.hooks);
  }
}

}  // namespace lona::vm
