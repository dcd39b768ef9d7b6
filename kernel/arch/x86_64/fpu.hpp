// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "kernel/arch/x86_64/context.hpp"

// x87 and SSE state. It is switched when a thread that may use the FPU gets the processor and the
// registers still hold another's state; never by a fault, so that no thread can read what another
// left there, not even speculatively.

namespace lona::kernel {

enum class FpuAccess { kAllowed, kDisabled };

void fpu_init();
void fpu_switch_to(UserContext& context, FpuAccess access);
// The context is about to be destroyed, or its saved state is about to be read or replaced.
void fpu_release(UserContext& context);

}  // namespace lona::kernel
