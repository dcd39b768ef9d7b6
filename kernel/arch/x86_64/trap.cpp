// SPDX-License-Identifier: BSD-2-Clause
// From a processor vector to the kernel's operations. Called by entry.S, which resumes the context
// that is returned; null means that nobody can run. A thread's context is its first member, so the
// two pointers are one.
#include "abi/sel4/fault.hpp"
#include "abi/sel4/syscall.hpp"
#include "kernel/api/entry.hpp"
#include "kernel/arch/x86_64/cores.hpp"
#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/arch/x86_64/debug_registers.hpp"
#include "kernel/arch/x86_64/fpu.hpp"
#include "kernel/arch/x86_64/interrupts.hpp"
#include "kernel/arch/x86_64/irq.hpp"
#include "kernel/check/latency.hpp"
#include "kernel/sched/scheduler.hpp"

namespace lona::kernel {

namespace {

enum : unsigned {
  kDebugTrap = 1,
  kBreakpoint = 3,
  kNoFpu = 7,
  kPageFault = 14,
  kFirstInterrupt = 32
};

// --- Trace ---------------------------------------------------------------------------------------

[[maybe_unused]] void trace(TraceKind kind, const Tcb* thread, std::int32_t number, Word first,
                            Word second) {
  this_core().trace.add({arch::now(), thread, kind, number, {first, second}});
}

void trace_syscall() {
  if constexpr (config::kDebug) {
    const Tcb& tcb = *current_thread();
    const Word number = tcb.context.syscall_number();
    // Reading the trace leaves none.
    if (number == static_cast<Word>(abi::Syscall::kDebugTrace)) return;
    trace(TraceKind::kSyscall, &tcb, static_cast<std::int32_t>(number), tcb.context.cap_register(),
          tcb.context.msg_info());
  }
}

void trace_vector(unsigned vector) {
  if constexpr (config::kDebug) {
    const Tcb* const tcb = current_thread();
    trace(TraceKind::kVector, tcb, static_cast<std::int32_t>(vector),
          vector == kPageFault ? cpu::read_cr2() : 0, tcb != nullptr ? tcb->context.rip : 0);
  }
}

// What `handle` does with the entry, and who runs afterwards; kernels that watch note both.
template <typename Handle>
Tcb* watched(Handle&& handle) {
  if constexpr (config::kDebug) {
    const Tcb* const before = current_thread();
    Tcb* const next = handle();
    if (next != before) trace(TraceKind::kRun, next, 0, 0, 0);
    return next;
  } else if constexpr (config::kBenchmark) {
    Tcb* const before = current_thread();
    const Ticks entered = arch::now();
    Tcb* const next = handle();
    this_core().usage.count(before, next, entered, arch::now());
    return next;
  } else {
    return handle();
  }
}

// --- Ways in -------------------------------------------------------------------------------------

UserContext* context_of(Tcb* tcb) {
  return reinterpret_cast<UserContext*>(tcb);
}

Tcb* handle_interrupt(unsigned vector) {
  if (vector == kTimerVector) {
    local_apic_end_of_interrupt();
    return handle_timer();
  }
  if (vector == kCoreVector) {
    local_apic_end_of_interrupt();
    return handle_prod();
  }
  if (is_irq_vector(vector)) {
    const unsigned irq = irq_of_vector(vector);
    if (irq_arrived(irq)) return handle_irq(irq);
  }
  // Spurious interrupts of either controller are not acknowledged.
  return current_thread();
}

Tcb* handle_page_fault(const UserContext& context) {
  const Word address = cpu::read_cr2();
  // Processors without NX do not report fetches.
  const bool fetch =
      (context.error & abi::vm_fault::kStatusFetch) != 0 || address == context.fault_ip;
  return handle_vm_fault(address, context.error, fetch);
}

Tcb* handle_vector(UserContext* context, unsigned vector) {
  trace_vector(vector);
  if (vector >= kFirstInterrupt) return handle_interrupt(vector);
  if (vector == kPageFault) return handle_page_fault(*context);
  Tcb* thread = current_thread();
  if constexpr (abi::kConfiguration.hardware_debug) {
    if (vector == kDebugTrap) return handle_debug_trap(*thread);
    if (vector == kBreakpoint) return handle_software_break();
  }
  if (vector == kNoFpu && (thread->flags & abi::kTcbFlagFpuDisabled) == 0) {
    // Its state was put away while it ran, as when its own flags changed.
    fpu_switch_to(*context, FpuAccess::kAllowed);
    return thread;
  }
  return handle_user_exception(vector, context->error);
}

constexpr auto handle_traced_syscall = [] {
  trace_syscall();
  return handle_syscall();
};

Tcb* handle_interrupt_while_idle(unsigned vector) {
  trace_vector(vector);
  return handle_interrupt(vector);
}

// With several cores: what `handle` does, under the lock. Meanwhile another core may have held the
// thread that entered; what the thread wanted is then not done, since it will want it again.
template <typename Handle>
UserContext* with_lock(bool wanted_by_thread, Handle&& handle) {
  Core& core = this_core();
  enter_kernel(core);
  Tcb* const next = watched([&] {
    if (!core.held) return handle();
    Tcb* const resumed = resume_held();
    return wanted_by_thread ? resumed : handle();
  });
  leave_kernel();
  return context_of(next);
}

}  // namespace

// The entry code has saved all registers, so these need to preserve none.
extern "C" [[clang::preserve_none]] UserContext* trap_syscall() {
  const LatencyScope scope;
  return context_of(watched(handle_traced_syscall));
}

extern "C" [[clang::preserve_none]] UserContext* trap_syscall_locked() {
  const LatencyScope scope;
  return with_lock(true, handle_traced_syscall);
}

// Apart, so that a single core does not pay for it.
[[gnu::noinline]] static UserContext* trap_vector_locked(UserContext* context, unsigned vector) {
  return with_lock(vector < kFirstInterrupt, [=] { return handle_vector(context, vector); });
}

extern "C" UserContext* trap_vector(UserContext* context, unsigned vector) {
  const LatencyScope scope;
  if (cores.count > 1) return trap_vector_locked(context, vector);
  return context_of(watched([=] { return handle_vector(context, vector); }));
}

extern "C" UserContext* trap_while_idle(unsigned vector) {
  const LatencyScope scope;
  const auto handle = [=] { return handle_interrupt_while_idle(vector); };
  return cores.count > 1 ? with_lock(false, handle) : context_of(watched(handle));
}

}  // namespace lona::kernel
