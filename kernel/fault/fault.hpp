// SPDX-License-Identifier: BSD-2-Clause
// What happens when a thread cannot go on: a message to its handler (manual, "Faults").
#pragma once

#include "kernel/object/tcb.hpp"

namespace lona::kernel {

// Tells the thread's handler, as if the thread had called it; without one the thread stops.
void raise_fault(Tcb& tcb, const Fault& fault);
void raise_cap_fault(Tcb& tcb, Word pointer, bool receiving, const LookupFault& lookup);

bool has_timeout_handler(const Tcb& tcb);
void raise_timeout(Tcb& tcb);

// May an endpoint cap serve as a handler?
bool is_valid_handler(const Cap& cap);

// Writes the words of the sender's fault to the receiver; returns their number.
unsigned describe_fault(Tcb& sender, Tcb& receiver);
// The handler's answer: true if the thread goes on.
bool apply_fault_reply(Tcb& tcb, Tcb& handler);

}  // namespace lona::kernel
