// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "kernel/api/invocation.hpp"

// The processor's debug registers (Intel SDM volume 3, 18.2), which belong to threads in turn.

namespace lona::kernel {

// The thread runs from now on: loads its breakpoints.
void debug_switch_to(const Tcb& tcb);

// A debug exception (vector 1) or INT3 of the running thread; returns the thread to resume.
Tcb* handle_debug_trap(Tcb& tcb);
Tcb* handle_software_break();

}  // namespace lona::kernel
