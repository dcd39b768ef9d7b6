// SPDX-License-Identifier: BSD-2-Clause
// From a processor vector to the kernel's operations. Called by entry.S, which resumes the context
// that is returned; null means that nobody can run. A thread's context is its first member, so the
// two pointers are one.
#include "abi/sel4/fault.hpp"
#include "kernel/api/entry.hpp"
#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/arch/x86_64/fpu.hpp"
#include "kernel/arch/x86_64/interrupts.hpp"
#include "kernel/arch/x86_64/irq.hpp"

namespace lona::kernel {

namespace {

enum : unsigned { kNoFpu = 7, kPageFault = 14, kFirstInterrupt = 32 };

UserContext* context_of(Tcb* tcb) {
  return reinterpret_cast<UserContext*>(tcb);
}

Tcb* handle_interrupt(unsigned vector) {
  if (vector == kTimerVector) {
    local_apic_end_of_interrupt();
    return handle_timer();
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

}  // namespace

extern "C" UserContext* trap_syscall() {
  return context_of(handle_syscall());
}

extern "C" UserContext* trap_vector(UserContext* context, unsigned vector) {
  if (vector >= kFirstInterrupt) return context_of(handle_interrupt(vector));
  if (vector == kPageFault) return context_of(handle_page_fault(*context));
  Tcb* thread = current_thread();
  if (vector == kNoFpu && (thread->flags & abi::kTcbFlagFpuDisabled) == 0) {
    // Its state was put away while it ran, as when its own flags changed.
    fpu_switch_to(*context, FpuAccess::kAllowed);
    return context;
  }
  return context_of(handle_user_exception(vector, context->error));
}

extern "C" UserContext* trap_while_idle(unsigned vector) {
  return context_of(handle_interrupt(vector));
}

}  // namespace lona::kernel
