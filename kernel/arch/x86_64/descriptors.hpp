// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "kernel/arch/x86_64/core_state.hpp"

// Segment and interrupt descriptors, the task state segment, and the SYSCALL registers.

namespace lona::kernel {

inline constexpr std::uint16_t kKernelCodeSelector = 0x08;
inline constexpr std::uint16_t kKernelDataSelector = 0x10;

// Also makes `core` the one that this_core() names.
void load_descriptors(ArchCore& core);
// From now on this core's system calls take the kernel lock.
void lock_system_calls();

}  // namespace lona::kernel
