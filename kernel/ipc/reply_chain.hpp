// SPDX-License-Identifier: BSD-2-Clause
// The stack of calls through which a scheduling context was lent. The context points at the newest
// reply object, each reply object at the older one; the newest one points back at the context.
#pragma once

#include "kernel/object/tcb.hpp"

namespace lona::kernel {

// `caller` waits for the answer; its scheduling context goes to a callee without one.
void push_reply(Tcb& caller, Tcb& callee, Reply& reply, bool can_donate);
// Out of the stack. The context of the newest call goes back to the caller.
void pop_reply(Reply& reply);

}  // namespace lona::kernel
