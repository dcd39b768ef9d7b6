// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

// Segment and interrupt descriptors, the task state segment, and the SYSCALL registers.

namespace lona::kernel {

inline constexpr std::uint16_t kKernelCodeSelector = 0x08;
inline constexpr std::uint16_t kKernelDataSelector = 0x10;

void load_descriptors();

// Where the processor stores the interrupt frame when it comes from user mode.
void set_interrupt_frame_end(std::uint64_t address);

}  // namespace lona::kernel
