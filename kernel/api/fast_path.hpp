// SPDX-License-Identifier: BSD-2-Clause
// The short way through the two system calls that most others wait for.
#pragma once

#include "kernel/object/tcb.hpp"

namespace lona::kernel {

// Each does the whole system call of the current thread and returns the thread to resume; or
// changes nothing and returns null, and the call takes the general way (api/dispatch.cpp).
Tcb* fast_call(Tcb& caller);
Tcb* fast_reply_receive(Tcb& server);

}  // namespace lona::kernel
