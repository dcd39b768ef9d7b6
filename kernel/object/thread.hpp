// SPDX-License-Identifier: BSD-2-Clause
// Life of a thread, and the methods of TCBs.
#pragma once

#include "kernel/api/invocation.hpp"

namespace lona::kernel {

void suspend(Tcb& tcb);
// A thread that is stopped or waits starts the operation it was in again.
void restart(Tcb& tcb);
// The last cap to it goes; its slots are emptied afterwards.
void destroy_thread(Tcb& tcb);

Result<Done> decode_tcb(Invocation& invocation);

}  // namespace lona::kernel
