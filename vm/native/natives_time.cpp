// SPDX-License-Identifier: BSD-2-Clause
// Clocks, sleeping, and messages sent at a time.
#include <algorithm>

#include "vm/data/map.hpp"
#include "vm/data/sequence.hpp"
#include "vm/native/not_sendable.hpp"
#include "vm/number/integer.hpp"
#include "vm/platform/platform.hpp"
#include "vm/process/worker.hpp"
#include "vm/sched/state.hpp"
#include "vm/term/equal.hpp"

namespace lona::vm::natives {

namespace {

Term number(std::uint64_t n) {
  return Term::integer(static_cast<std::int64_t>(n));
}

// Longer than a century is for ever.
constexpr std::int64_t kLongestMs = std::int64_t{100} * 366 * 24 * 3600 * 1000;

constexpr const char* kTime = "milliseconds that are not negative";

bool is_time(Term t) {
  return t.is_integer() && t.as_integer() >= 0;
}

std::uint64_t nanoseconds(Term ms) {
  return static_cast<std::uint64_t>(std::min(ms.as_integer(), kLongestMs)) * 1'000'000;
}

Term milliseconds_left(const MessageTimer& timer) {
  std::uint64_t now = platform::now_ns();
  return number(now < timer.deadline ? (timer.deadline - now + 999'999) / 1'000'000 : 0);
}

}  // namespace

Term monotonic_time(Process&, Args) {
  return number(platform::now_ns());
}

Term system_time(Process& p, Args) {
  NumberResult now = integer_from(p, static_cast<Wide>(platform::wall_clock_ns()));
  return now.has_value() ? *now : p.fail_oom();
}

Term sleep(Process& p, Args args) {
  if (!is_time(args[0])) return p.fail_badarg("sleep", args, kTime);
  std::uint64_t now = platform::now_ns();
  std::uint64_t deadline = p.wait_deadline();
  if (deadline == 0) {
    if (args[0].as_integer() == 0) {
      p.charge(static_cast<std::uint32_t>(state_of(p).options.slice_reductions));
      return state_of(p).ok;
    }
    return p.wait_until(now + nanoseconds(args[0]));
  }
  if (now < deadline) return p.wait_until(deadline);
  p.clear_wait_deadline();
  return state_of(p).ok;
}

Term send_after(Process& p, Args args) {
  Vm::State& s = state_of(p);
  Worker& w = *p.worker_;
  Term to = bare(args[1]);
  if (!is_time(args[0]) || !(to.is_pid() || to.is_symbol())) {
    return p.fail_badarg("send-after", args,
                         "milliseconds that are not negative, and a pid of this realm or a name");
  }
  if (!may_leave(p, args[2])) return Term::raise();
  Fragment* message = copy_to_fragment(p, w.allocator, args[2]);
  if (message == nullptr) return p.fail_oom();
  std::uint64_t ref = fresh_reference(p);
  MessageTimer* timer = nullptr;
  {
    Guard guard(w.timer_lock, s.several);
    timer = w.message_timers.add(ref, to, message);
    if (timer != nullptr) w.timers.set(*timer, platform::now_ns() + nanoseconds(args[0]));
  }
  if (timer == nullptr) {
    free_fragment(p, message);
    return p.fail_oom();
  }
  p.charge(10);
  return make_ref(p, ref);
}

namespace {

// The worker that has made a reference; null when there is none.
Worker* maker_of(const Vm::State& s, std::uint64_t ref) {
  std::uint64_t index = ref >> Worker::kReferenceShift;
  return index < s.worker_count ? s.workers[index] : nullptr;
}

// Looks at a timer that has not fired, and takes it out when that is wanted.
Term timer_of(Process& p, std::uint64_t ref, bool take) {
  Vm::State& s = state_of(p);
  Worker* w = maker_of(s, ref);
  if (w == nullptr) return Term::nil();
  Fragment* message = nullptr;
  Term left;
  {
    Guard guard(w->timer_lock, s.several);
    MessageTimer* timer = w->message_timers.find(ref);
    if (timer == nullptr || timer->taken) return Term::nil();
    left = milliseconds_left(*timer);
    if (!take) return left;
    w->timers.cancel(*timer);
    message = timer->message;
    w->message_timers.remove(timer, allocator_of(p));
  }
  free_fragment(p, message);
  return left;
}

}  // namespace

Term cancel_timer(Process& p, Args args) {
  if (!is_kind(args[0], Kind::kRef)) return p.fail_badarg("cancel-timer", args);
  return timer_of(p, payload(args[0])[0], true);
}

Term read_timer(Process& p, Args args) {
  if (!is_kind(args[0], Kind::kRef)) return p.fail_badarg("read-timer", args);
  return timer_of(p, payload(args[0])[0], false);
}

}  // namespace lona::vm::natives
