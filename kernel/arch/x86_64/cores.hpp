// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "kernel/sched/core.hpp"

// The processor cores of the machine.

namespace lona::kernel {

// The core that the boot loader runs on, with the stacks of the image.
Core& boot_core();

}  // namespace lona::kernel
