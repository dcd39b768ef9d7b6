// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/memory/memory_plan.hpp"

#include <algorithm>

namespace lona::kernel {

namespace {

constexpr std::uint64_t kPage = 4096;
// The largest address space the architecture's page tables can name.
constexpr unsigned kMaxPhysicalBits = 47;

// The last page of the address space is never used: its end has no number.
constexpr PhysicalAddress kLastPage = ~PhysicalAddress{0} & ~(kPage - 1);

PhysicalRange page_range(PhysicalAddress begin, PhysicalAddress end) {
  const PhysicalAddress rounded = end > kLastPage ? kLastPage : (end + kPage - 1) & ~(kPage - 1);
  return {begin & ~(kPage - 1), rounded};
}

// A length that wraps around reaches to the end of the address space.
PhysicalRange range_of(const MemoryMapEntry& entry) {
  const PhysicalAddress end = entry.base + entry.length;
  return {entry.base, end < entry.base ? kLastPage : end};
}

}  // namespace

void plan_memory(const BootSource& source, const MemoryLimits& limits,
                 std::span<const PhysicalRange> kernel_devices, MemoryPlan& plan) {
  plan = MemoryPlan{};
  RegionList& ram = plan.ram;
  for (const MemoryMapEntry& entry : source.memory()) {
    if (entry.type == kMemoryTypeRam) ram.add(range_of(entry));
  }
  ram.trim_to_pages(kPage);
  // Firmware maps overlap; what one entry reserves is not RAM whatever another says.
  for (const MemoryMapEntry& entry : source.memory()) {
    if (entry.type == kMemoryTypeRam) continue;
    const PhysicalRange range = range_of(entry);
    if (!range.empty()) ram.remove(page_range(range.begin, std::max(range.end, range.begin)));
  }
  ram.remove({0, kLowMemoryEnd});

  const unsigned bits = std::min(limits.physical_address_bits, kMaxPhysicalBits);
  plan.device.add({0, PhysicalAddress{1} << bits});
  for (const PhysicalRange& range : ram.ranges()) plan.device.remove(range);
  plan.device.remove(limits.kernel_image);
  for (const PhysicalRange& device : kernel_devices) {
    plan.device.remove(page_range(device.begin, device.end));
  }

  ram.remove({limits.window_end, ~PhysicalAddress{0}});
  plan.free = ram;
  plan.free.remove(limits.kernel_image);
  for (unsigned i = 0; i < source.module_count; ++i) {
    plan.free.remove(page_range(source.modules[i].begin, source.modules[i].end));
  }
}

}  // namespace lona::kernel
