// SPDX-License-Identifier: BSD-2-Clause
// Scheduling contexts: who holds one, how it moves, and the methods on it.
#pragma once

#include "kernel/api/invocation.hpp"

namespace lona::kernel {

// --- Moving time between threads
// -------------------------------------------------------------------
void bind_thread(SchedContext& context, Tcb& tcb);
void unbind_thread(SchedContext& context);
// From whoever holds it to a thread that has none.
void donate(SchedContext& context, Tcb& to);
// A waiting thread without time gets the one bound to the notification that wakes it …
void lend_context(Notification& notification, Tcb& tcb);
// … and gives it back when it waits again.
void return_context(Notification& notification, Tcb& tcb);
void bind_to_notification(SchedContext& context, Notification& notification);
void unbind_from_notification(SchedContext& context);

// The thread wakes up: a sporadic context may not save up the time it slept.
void wake_context(SchedContext& context);
// The thread, runnable again, competes for the processor if it has time.
void wake_on_context(Tcb& tcb);

// --- YieldTo
// --------------------------------------------------------------------------------------- The
// thread's YieldTo ends; it learns the time consumed.
void complete_yield(Tcb& tcb);
void cancel_yield(Tcb& tcb);

// --- Accounting
// ------------------------------------------------------------------------------------
Word take_consumed_us(SchedContext& context);

// The last cap to it goes.
void destroy_sched_context(SchedContext& context);

Result<Done> decode_sched_context(Invocation& invocation);
Result<Done> decode_sched_control(Invocation& invocation);

}  // namespace lona::kernel
