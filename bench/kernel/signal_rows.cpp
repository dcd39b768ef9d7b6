// SPDX-License-Identifier: BSD-2-Clause
// One-way messages, notifications and Yield: threads of chosen priorities that drive each other.
//
// A driver, lowest, ends each round; then the threads above have come to rest where they wait.
#include "bench/kernel/rows.hpp"
#include "bench/kernel/worker.hpp"

namespace lona::bench {

namespace {

using test::make;

constexpr unsigned kRounds = Row::kMax, kWarmUp = 4;
constexpr Word kHigh = 210, kMiddle = 200, kLow = 190, kDriver = 180;

Op high_op, low_op;
CPtr go = 0;
Row forward, backward, alone;

// --- A low thread wakes a high one, which waits again --------------------------------------------

void waiting_high(Word) {
  for (;;) timed(&high_op);
}

void waking_low(Word) {
  for (unsigned i = 0; i < kWarmUp + kRounds; ++i) {
    timed(&low_op);
    if (i < kWarmUp) continue;
    forward.add(between(low_op.before, high_op.after));
    backward.add(between(high_op.before, low_op.after));
  }
  report_done();
  park_worker();
}

void wake(const Op& wait, const Op& send, Space space, CPtr bound = 0) {
  high_op = wait;
  low_op = send;
  Worker high(waiting_high, {.priority = kHigh, .space = space});
  Worker low(waking_low, {.priority = kMiddle});
  if (bound != 0) CHECK_OK(abi::tcb_bind_notification(high.tcb(), bound));
  high.start();
  low.start();
  wait_for_workers();
}

// --- A high thread acts on a low one that waits --------------------------------------------------

void acting_high(Word) {
  for (;;) {
    (void)abi::wait(go);
    timed(&high_op);
    alone.add(own(high_op));
  }
}

void served_low(Word) {
  for (;;) timed(&low_op);
}

void driver(Word) {
  for (unsigned i = 0; i < kRounds; ++i) abi::signal(go);
  report_done();
  park_worker();
}

void act(const Op& high_does, const Op& low_does) {
  go = make(ObjectType::kNotification);
  high_op = high_does;
  low_op = low_does;
  Worker high(acting_high, {.priority = kHigh});
  Worker low(served_low, {.priority = kLow});
  Worker drive(driver, {.priority = kDriver});
  high.start();
  low.start();
  drive.start();
  wait_for_workers();
}

// --- Yield ---------------------------------------------------------------------------------------

void yielding_alone(Word) {
  for (unsigned i = 0; i < kRounds; ++i) {
    timed(&low_op);
    alone.add(own(low_op));
  }
  report_done();
  park_worker();
}

void yielding_back(Word) {
  for (;;) timed(&high_op);
}

void yield_between(Space space, bool fpu) {
  high_op = low_op = syscall(Syscall::kYield, 0);
  Worker other(yielding_back, {.space = space, .fpu = fpu});
  Worker first(waking_low, {.fpu = fpu});
  other.start();
  first.start();
  wait_for_workers();
}

// --- One thread alone: the root task
// --------------------------------------------------------------

void on_notification(std::string_view name, bool active, bool is_signal) {
  const CPtr notification = make(ObjectType::kNotification);
  for (unsigned i = 0; i < kRounds; ++i) {
    (void)abi::poll(notification);
    if (active) abi::signal(notification);
    Op op = is_signal ? syscall(Syscall::kSend, notification, MessageInfo(0, 0, 0, 1))
                      : syscall(Syscall::kWait, notification);
    timed(&op);
    alone.add(own(op));
  }
  alone.print(name);
}

}  // namespace

void yield_rows() {
  (void)done_notification();
  low_op = syscall(Syscall::kYield, 0);
  {
    Worker only(yielding_alone, {});
    only.start();
    wait_for_workers();
  }
  alone.print("yield: alone at its priority");
  constexpr struct {
    Space space;
    bool fpu;
    std::string_view name;
  } kSwitches[] = {
      {Space::kSame, true, "yield: switch to same-prio thread, same AS"},
      {Space::kOther, true, "yield: switch to same-prio thread, other AS"},
      {Space::kSame, false, "yield: switch same AS, both threads fpuDisabled"},
      {Space::kOther, false, "yield: switch other AS, both threads fpuDisabled"},
  };
  for (const auto& row : kSwitches) {
    yield_between(row.space, row.fpu);
    backward.clear();
    forward.print(row.name);
  }
}

void send_and_signal_rows() {
  (void)done_notification();
  const CPtr endpoint = make(ObjectType::kEndpoint), reply = make(ObjectType::kReply),
             notification = make(ObjectType::kNotification);
  const Op send = syscall(Syscall::kSend, endpoint),
           recv = syscall(Syscall::kRecv, endpoint, {}, reply),
           signal = syscall(Syscall::kSend, notification, MessageInfo(0, 0, 0, 1)),
           wait = syscall(Syscall::kWait, notification);
  for (const Space space : {Space::kSame, Space::kOther}) {
    const std::string_view place = space == Space::kSame ? "same-AS" : "cross-AS";
    wake(recv, send, space);
    backward.clear();
    forward.print("send: to waiting higher-prio receiver (switch), ", place);
    if (space == Space::kSame) {
      act(recv, send);
      alone.print("recv: pick up queued lower-prio sender (no switch)");
    }
    wake(wait, signal, space);
    forward.print("signal: wakes higher-prio waiter (switch), ", place);
    backward.print("wait: blocks, switch to ready lower-prio thread, ", place);
  }
  act(send, recv);
  alone.print("send: to waiting lower-prio receiver (no switch)");
  on_notification("signal: idle notification, no waiter", false, true);
  on_notification("signal: already-active notification (badge OR)", true, true);
  on_notification("wait: on active notification (no block)", true, false);
  act(signal, wait);
  alone.print("signal: wakes lower-prio waiter (no switch)");
  const CPtr bound = make(ObjectType::kNotification);
  wake(recv, syscall(Syscall::kSend, bound, MessageInfo(0, 0, 0, 1)), Space::kSame, bound);
  backward.clear();
  forward.print("signal: bound notification wakes higher-prio thread blocked in Recv");
}

}  // namespace lona::bench
