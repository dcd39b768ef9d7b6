// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <span>

#include "kernel/boot/boot_source.hpp"
#include "kernel/memory/region_list.hpp"

// What each physical address is: RAM that the kernel sees, RAM that is still free, or a device.

namespace lona::kernel {

struct MemoryPlan {
  RegionList ram;     // all RAM in the physical window
  RegionList free;    // RAM that nothing occupies yet
  RegionList device;  // everything else that the processor can address, for user-level drivers
};

struct MemoryLimits {
  PhysicalRange kernel_image;
  PhysicalAddress window_end;      // RAM above is beyond the kernel's reach, so it is not used
  unsigned physical_address_bits;  // of the processor
};

// Below 1 MiB lie the firmware's data, its read-only code and the VGA memory: all of it counts as
// a device, which lets user space read tables there.
inline constexpr PhysicalAddress kLowMemoryEnd = 1 << 20;

void plan_memory(const BootSource& source, const MemoryLimits& limits,
                 std::span<const PhysicalRange> kernel_devices, MemoryPlan& plan);

}  // namespace lona::kernel
