// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <span>

#include "kernel/memory/physical.hpp"
#include "kernel/memory/region_list.hpp"

// The kernel's half of every address space:
//   0xffffff00'00000000  physical window: RAM at its physical address plus this, up to 512 GiB
//   0xffffffff'80000000  the kernel image, at its load address plus this
//   0xffffffff'ffc00000  stacks of all cores but the first
//   0xffffffff'ffe00000  device pages: local APIC, I/O APICs
// User space has the lower half.

namespace lona::kernel {

inline constexpr std::uint64_t kWindowBase = 0xffff'ff00'0000'0000;
inline constexpr std::uint64_t kWindowBytes = std::uint64_t{512} << 30;
inline constexpr std::uint64_t kImageOffset = 0xffff'ffff'8000'0000;
inline constexpr std::uint64_t kStackWindow = 0xffff'ffff'ffc0'0000;
inline constexpr std::uint64_t kDeviceWindow = 0xffff'ffff'ffe0'0000;

inline void* physical_to_virtual(PhysicalAddress address) {
  return reinterpret_cast<void*>(kWindowBase + address);
}
template <typename T>
T* physical_to(PhysicalAddress address) {
  return static_cast<T*>(physical_to_virtual(address));
}
// The inverse for addresses in the window, and for objects of the kernel image.
inline PhysicalAddress virtual_to_physical(const void* address) {
  const auto value = reinterpret_cast<std::uint64_t>(address);
  return value >= kImageOffset ? value - kImageOffset : value - kWindowBase;
}

// Replaces the boot loader stage's tables. `ram` is what the window maps; tables are taken from
// `free`. False: not enough memory for the tables.
[[nodiscard]] bool build_kernel_window(const RegionList& ram, RegionList& free);

// Maps one page of device registers, uncached, and gives its address.
volatile std::uint32_t* map_device_page(PhysicalAddress address);

// Maps `pages` pages of RAM as a stack above an unmapped page, and gives the address of its end.
std::uint64_t map_stack(PhysicalAddress address, unsigned pages);
bool is_core_stack(std::uint64_t address);

// On every core: the protections that go with the tables.
void enable_protections();

// The kernel's half in a new top-level table.
void copy_kernel_window(std::span<std::uint64_t, 512> pml4);

// Tables with nothing in the lower half, for when no thread's address space is usable.
PhysicalAddress kernel_only_root();

}  // namespace lona::kernel
