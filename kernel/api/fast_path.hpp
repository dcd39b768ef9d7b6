// SPDX-License-Identifier: BSD-2-Clause
// The short way through what threads do most: call, answer, signal, and fault.
#pragma once

#include "kernel/object/tcb.hpp"

namespace lona::kernel {

// Each does the whole operation of the current thread and returns the thread to resume; or changes
// nothing and returns null, and the operation takes the general way (api/dispatch.cpp).
Tcb* fast_call(Tcb& caller);
Tcb* fast_reply_receive(Tcb& server);
Tcb* fast_send(Tcb& sender);
Tcb* fast_yield(Tcb& tcb);
// The timer has interrupted what runs.
Tcb* fast_timer();
// Any fault but those of a capability lookup.
Tcb* fast_fault(Tcb& tcb, abi::FaultKind kind, Word address, Word code, bool flag);
// Signals while `current` runs, which goes on unless a higher thread waited.
Tcb* fast_signal(Tcb& current, Notification& notification, Word badge);

}  // namespace lona::kernel
