// SPDX-License-Identifier: BSD-2-Clause
// The worker's loop: who runs next, when to look at the clock and the console.
#include "vm/heap/collector.hpp"
#include "vm/interp/interp.hpp"
#include "vm/platform/platform.hpp"
#include "vm/process/worker.hpp"
#include "vm/sched/state.hpp"

namespace lona::vm {

namespace {

// So many reductions or slices may pass between two looks at clock and console.
constexpr std::int64_t kReductionsBetweenLooks = 20'000;
constexpr unsigned kSlicesBetweenLooks = 64;

void append(Vm::State& s, Process& p) {
  p.queue_next_ = nullptr;
  if (s.ready_tail == nullptr) {
    s.ready_head = &p;
  } else {
    s.ready_tail->queue_next_ = &p;
  }
  s.ready_tail = &p;
}

void sleep(Vm::State& s, Process& p) {
  p.state_ = Process::State::kWaiting;
  if (p.wait_deadline_ != 0) s.timers.set(p, p.wait_deadline_);
  if (p.waits_for_console_ && !p.in_console_list_) {
    p.in_console_list_ = true;
    p.console_next_ = s.console_waiters;
    s.console_waiters = &p;
    platform::want_input();
  }
}

// A slice of a process's collection. True when that is over and the process may run.
bool collected(Vm::State& s, Process& p) {
  p.reductions_ += s.options.slice_reductions;
  switch (continue_collection(p)) {
    case Collected::kDone:
      return true;
    case Collected::kUnfinished:
      append(s, p);
      return false;
    case Collected::kNoMemory:
      break;
  }
  p.exit_reason_ = s.oom_reason;
  end_process(p);
  return false;
}

std::int64_t run_one(Vm::State& s, Process& p) {
  if (p.exit_pending_) {
    end_process(p);
    return 1;
  }
  std::int64_t slice = s.options.slice_reductions;
  if (p.collection_ != nullptr && !collected(s, p)) return slice;
  p.state_ = Process::State::kRunning;
  p.waits_for_console_ = false;
  s.running = &p;
  bool collect_first = s.options.collect_always && !p.collected_;
  if (collect_first) {
    p.collect_ = true;
    p.reductions_saved_ = slice;
  }
  RunResult result = run_slice(p, collect_first ? 0 : slice);
  s.running = nullptr;
  std::int64_t left = p.collect_ ? p.reductions_saved_ : p.reductions_left_;
  std::int64_t used = slice > left ? slice - left : 1;
  p.reductions_ += static_cast<std::uint64_t>(used);
  if (result == RunResult::kExit || p.exit_pending_) {
    end_process(p);
  } else if (result == RunResult::kYield) {
    p.state_ = Process::State::kRunnable;
    append(s, p);
  } else {
    sleep(s, p);
  }
  return used;
}

// The message goes out, unless nobody is there to get it any more.
void send_due(Vm::State& s, MessageTimer& timer) {
  Process* target = timer.target.is_pid()
                        ? s.table.find(timer.target)
                        : static_cast<Process*>(s.names.find(timer.target.entry()));
  if (target != nullptr && !target->exit_pending_) {
    deliver(*target, timer.message);
  } else {
    free_fragment(s.allocator, timer.message);
  }
  s.message_timers.remove(&timer);
}

void fire(Vm::State& s, Timer& timer) {
  if (timer.what == Timer::What::kMessage) return send_due(s, static_cast<MessageTimer&>(timer));
  make_ready(static_cast<Process&>(timer));
}

void wake_sleepers(Vm::State& s) {
  if (s.timers.empty()) return;
  std::uint64_t now = platform::now_ns();
  while (Timer* timer = s.timers.take_due(now)) fire(s, *timer);
}

// One round: processes until a look is due.
void run_round(Vm::State& s) {
  wake_sleepers(s);
  std::int64_t reductions = kReductionsBetweenLooks;
  for (unsigned i = 0; i < kSlicesBetweenLooks && reductions > 0 && !s.stop; ++i) {
    Process* p = s.ready_head;
    if (p == nullptr) break;
    s.ready_head = p->queue_next_;
    if (s.ready_head == nullptr) s.ready_tail = nullptr;
    reductions -= run_one(s, *p);
  }
  // With nothing to run, platform::wait is next: it looks itself, and a look before it could take
  // the event that ought to end the wait.
  if (s.ready_head == nullptr) return;
  check_interrupt(s);
  if (s.console_waiters == nullptr) return;
  // A look at the console costs system calls.
  std::uint64_t now = platform::now_ns();
  if (now < s.next_console_look) return;
  s.next_console_look = now + 1'000'000;
  wake_console_waiters(s);
}

// Nothing can run. Those who wait for the console try once more first, as writing output may have
// taken input in as well.
void rest(Vm::State& s) {
  if (s.console_waiters != nullptr && !s.console_tried) {
    s.console_tried = true;
    wake_console_waiters(s);
    return;
  }
  s.console_tried = false;
  platform::wait(s.timers.empty() ? platform::kNoDeadline : s.timers.next_deadline());
  check_interrupt(s);
  wake_console_waiters(s);
}

}  // namespace

void make_ready(Process& p) {
  if (p.state_ != Process::State::kWaiting) return;
  Vm::State& s = state_of(p);
  s.timers.cancel(p);
  p.state_ = Process::State::kRunnable;
  append(s, p);
}

void wake_console_waiters(Vm::State& s) {
  Process* p = s.console_waiters;
  s.console_waiters = nullptr;
  while (p != nullptr) {
    Process* next = p->console_next_;
    p->in_console_list_ = false;
    if (p->waits_for_console_) make_ready(*p);
    p = next;
  }
}

void check_interrupt(Vm::State& s) {
  platform::poll();
  if (!platform::take_interrupt()) return;
  if (!s.foreground.is_nil()) {
    if (Process* p = s.table.find(s.foreground)) {
      signal_exit(*p, *p, Term::nil(), make_keyword("interrupted"), ExitSignal::kKill);
      return;
    }
  }
  if (s.hooks != nullptr && s.hooks->interrupted != nullptr) s.hooks->interrupted(*s.hooks);
}

void Vm::run() {
  State& s = *state_;
  s.native_stack_base = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  s.stop = false;
  while (!s.stop) {
    run_round(s);
    if (s.ready_head == nullptr && !s.stop) rest(s);
  }
}

void Vm::run_until_ended(Term pid) {
  State& s = *state_;
  s.native_stack_base = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  s.stop = false;
  while (!s.stop && s.table.find(pid) != nullptr) {
    run_round(s);
    if (s.ready_head == nullptr && !s.stop && s.table.find(pid) != nullptr) rest(s);
  }
}

void Vm::stop() {
  state_->stop = true;
}

}  // namespace lona::vm
