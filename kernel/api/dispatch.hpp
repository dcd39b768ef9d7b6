// SPDX-License-Identifier: BSD-2-Clause
// From a capability in a system call to the operation on its object.
#pragma once

#include "kernel/api/invocation.hpp"

namespace lona::kernel {

struct SendFlags {
  bool is_call;
  bool is_blocking;
  bool can_donate;
  bool first_phase;
};
// The send half of a system call: invokes the cap that `pointer` names.
void invoke_cap(Tcb& caller, Word pointer, const SendFlags& flags);

// The receive half, on the cap in the cap register.
void receive_on(Tcb& caller, Word pointer, bool blocking, bool with_reply);

// Debug calls; false for a number this kernel does not have.
bool handle_debug_call(Tcb& caller, long number);
// The same for benchmark calls.
bool handle_benchmark_call(Tcb& caller, long number);

}  // namespace lona::kernel
