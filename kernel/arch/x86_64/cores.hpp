// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "kernel/board/acpi.hpp"
#include "kernel/memory/memory_plan.hpp"
#include "kernel/sched/core.hpp"
#include "kernel/sched/kernel_lock.hpp"

// The processor cores of the machine: how they start, and how they talk. A core that is in the
// kernel holds the lock, or waits for it and answers requests meanwhile.

namespace lona::kernel {

// The core that the boot loader runs on, with the stacks of the image.
Core& boot_core();

// Starts the other cores that the firmware lists, one after the other; each waits for the lock,
// which the boot core then holds until it leaves the kernel. Takes their stacks from `free`.
void start_other_cores(const AcpiInfo& acpi, const BootSource& source, RegionList& free);

extern KernelLock kernel_lock;

// Taken around each stay in the kernel when there is more than one core.
void enter_kernel(Core& core);
void leave_kernel();

// The holder of the lock asks another core, and waits until it has answered.
void post(Core& core, CoreRequest::Kind kind, std::uint64_t address = 0);
void await(const Core& core);
// Answers what another core asks, if anything.
void answer_request(Core& core);

// A core is about to stop the machine: all others do the same.
void halt_other_cores();
bool machine_halts();

}  // namespace lona::kernel
