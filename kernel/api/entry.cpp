// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/api/entry.hpp"

#include "abi/sel4/syscall.hpp"
#include "kernel/api/dispatch.hpp"
#include "kernel/api/fast_path.hpp"
#include "kernel/arch/arch.hpp"
#include "kernel/fault/fault.hpp"
#include "kernel/object/derivation.hpp"
#include "kernel/object/interrupt.hpp"
#include "kernel/sched/sched_context.hpp"
#include "kernel/sched/scheduler.hpp"

namespace lona::kernel {

namespace {

using abi::Syscall;

// Both halves of a call that sends and then receives; the first may have stopped the caller.
void send_then_receive(Tcb& tcb, Word dest, Word source, bool with_reply) {
  invoke_cap(tcb, dest, {false, false, true, true});
  if (tcb.runnable()) receive_on(tcb, source, true, with_reply);
}

// Negative numbers, down to the last debug call; what this kernel does with them is decided later.
bool is_syscall(Word number) {
  constexpr Word kLast = config::kDebug ? 1023 : 63;
  return number >= ~Word{0} - kLast;
}

// System calls that need no account of time nor a decision of the scheduler; null for all others.
Tcb* run_fast(Tcb& tcb, Syscall number) {
  switch (number) {
    case Syscall::kCall:
      return fast_call(tcb);
    case Syscall::kReplyRecv:
      return fast_reply_receive(tcb);
    case Syscall::kSend:
    case Syscall::kNBSend:
      return fast_send(tcb);
    case Syscall::kYield:
      return fast_yield(tcb);
    case Syscall::kSetTlsBase:
      arch::set_tls_base(tcb, tcb.context.cap_register());
      return &tcb;
    case Syscall::kBenchmarkNullSyscall:
      return config::kBenchmark ? &tcb : nullptr;
    default:
      return nullptr;
  }
}

// False for a number that is none of the system calls.
bool run_syscall(Tcb& tcb, Syscall number) {
  UserContext& context = tcb.context;
  const Word cap = context.cap_register();
  switch (number) {
    case Syscall::kCall:
      invoke_cap(tcb, cap, {true, true, true, false});
      return true;
    case Syscall::kReplyRecv:
      send_then_receive(tcb, context.reply_register(), cap, true);
      return true;
    case Syscall::kNBSendRecv:
      send_then_receive(tcb, context.nbsend_dest_register(), cap, true);
      return true;
    case Syscall::kNBSendWait:
      send_then_receive(tcb, context.reply_register(), cap, false);
      return true;
    case Syscall::kSend:
      invoke_cap(tcb, cap, {false, true, false, false});
      return true;
    case Syscall::kNBSend:
      invoke_cap(tcb, cap, {false, false, false, false});
      return true;
    case Syscall::kRecv:
      receive_on(tcb, cap, true, true);
      return true;
    case Syscall::kNBRecv:
      receive_on(tcb, cap, false, true);
      return true;
    case Syscall::kWait:
      receive_on(tcb, cap, true, false);
      return true;
    case Syscall::kNBWait:
      receive_on(tcb, cap, false, false);
      return true;
    case Syscall::kYield:
      yield_slice();
      return true;
    default:
      return handle_debug_call(tcb, static_cast<long>(number)) ||
             handle_benchmark_call(tcb, static_cast<long>(number));
  }
}

Tcb* handle_fault(abi::FaultKind kind, Word address, Word code, bool flag) {
  Tcb& tcb = *scheduler().current;
  if (Tcb* const next = fast_fault(tcb, kind, address, code, flag)) return next;
  update_time();
  if (check_budget()) {
    raise_fault(tcb, {.kind = kind, .address = address, .code = code, .flag = flag});
  }
  return schedule();
}

}  // namespace

Tcb* current_thread() {
  return scheduler().current;
}

LONA_ENTRY_CALL Tcb* handle_syscall() {
  Tcb& tcb = *scheduler().current;
  const Word number = tcb.context.syscall_number();
  if (Tcb* const next = run_fast(tcb, static_cast<Syscall>(number))) return next;
  if (!is_syscall(number)) return handle_fault(abi::FaultKind::kUnknownSyscall, number, 0, false);
  update_time();
  if (!check_budget()) {
    tcb.context.restart();
    return schedule();
  }
  if (!run_syscall(tcb, static_cast<Syscall>(number))) {
    raise_fault(tcb, {.kind = abi::FaultKind::kUnknownSyscall, .address = number});
  }
  return schedule();
}

Tcb* handle_irq(unsigned irq) {
  const Cap& cap = irq_notification_slot(irq).cap;
  Tcb* const current = scheduler().current;
  if (current != nullptr && cap.is(CapType::kNotification)) {
    if (Tcb* const next = fast_signal(*current, *cap.object<Notification>(), cap.badge())) {
      return next;
    }
  }
  update_time();
  check_budget();
  signal_irq(irq);
  return schedule();
}

Tcb* handle_timer() {
  if (Tcb* const next = fast_timer()) return next;
  update_time();
  scheduler().reprogram = true;
  check_budget();
  return schedule();
}

Tcb* handle_prod() {
  update_time();
  check_budget();
  return schedule();
}

Tcb* handle_vm_fault(Word address, Word status, bool instruction) {
  return handle_fault(abi::FaultKind::kVm, address, status, instruction);
}

Tcb* handle_user_exception(Word vector, Word error) {
  return handle_fault(abi::FaultKind::kUserException, vector, error, false);
}

Tcb* handle_debug_exception(Word reason, Word address, unsigned breakpoint) {
  return handle_fault(abi::FaultKind::kDebug, address, reason | Word{breakpoint} << 8, false);
}

// --- Boot
// ------------------------------------------------------------------------------------------

void initialise_scheduler() {
  scheduler().slack = kKernelEntryUs * arch::ticks_per_us();
  scheduler().min_budget = kMinBudgetUs * arch::ticks_per_us();
  scheduler().now = arch::now();
}

void bind_initial_thread(Tcb& tcb, SchedContext& context, Ticks slice_us) {
  tcb.priority = abi::kMaxPriority;
  tcb.max_controlled_priority = abi::kMaxPriority;
  refill_start(context, slice_us * arch::ticks_per_us(), 0, SchedContext::kMinRefills,
               scheduler().now);
  context.tcb = &tcb;
  tcb.sched_context = &context;
}

void set_initial_thread(Tcb& tcb) {
  tcb.state = ThreadState::kRunning;
  make_ready(tcb);
  reconsider_current();
}

Tcb* start() {
  update_time();
  scheduler().reprogram = true;
  return schedule();
}

void place_cap(Slot& slot, const Cap& cap) {
  insert_root(slot, cap);
}
void place_child(Slot& parent, Slot& slot, const Cap& cap) {
  insert_child(parent, slot, cap);
}

}  // namespace lona::kernel
