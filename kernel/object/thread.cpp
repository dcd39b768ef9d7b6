// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/object/thread.hpp"

#include "kernel/api/entry.hpp"
#include "kernel/arch/arch.hpp"
#include "kernel/ipc/ipc.hpp"
#include "kernel/sched/sched_context.hpp"
#include "kernel/sched/scheduler.hpp"

namespace lona::kernel {

void create_tcb(Tcb& tcb) {
  arch::init_context(tcb.context);
  tcb.state = ThreadState::kInactive;
}

void suspend(Tcb& tcb) {
  hold(tcb);
  // A running thread goes on behind its last system call when it is resumed.
  if (tcb.state == ThreadState::kRunning) tcb.context.fault_ip = tcb.context.rip;
  cancel_ipc(tcb);
  cancel_yield(tcb);
  dequeue(tcb);
  tcb.state = ThreadState::kInactive;
}

void restart(Tcb& tcb) {
  if (tcb.state != ThreadState::kInactive && !tcb.blocked()) return;
  cancel_ipc(tcb);
  tcb.context.restart();
  tcb.state = ThreadState::kRunning;
  wake_on_context(tcb);
}

void destroy_thread(Tcb& tcb) {
  suspend(tcb);
  unbind_notification(tcb);
  if (tcb.sched_context != nullptr) {
    if (tcb.sched_context->yield_from != nullptr) complete_yield(*tcb.sched_context->yield_from);
    unbind_thread(*tcb.sched_context);
  }
  arch::forget_fpu(tcb);
  Scheduler& s = core_of(tcb).scheduler;
  if (s.current == &tcb) {
    s.current = nullptr;
    s.reconsider = true;
  }
}

}  // namespace lona::kernel
