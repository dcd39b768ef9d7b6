// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/arch/x86_64/features.hpp"

#include "kernel/arch/x86_64/cpu.hpp"

namespace lona::kernel {

constinit CpuFeatures cpu_features{};

namespace {

constexpr bool bit(std::uint32_t word, unsigned index) {
  return (word >> index) & 1;
}

// Leaf 15H: TSC = crystal * EBX / EAX. Some processors leave the crystal out.
std::uint32_t tsc_khz_from_leaves(std::uint32_t max_leaf, bool hypervisor) {
  if (max_leaf >= 0x15) {
    const auto r = cpu::cpuid(0x15);
    if (r.eax != 0 && r.ebx != 0 && r.ecx != 0) {
      return static_cast<std::uint32_t>(std::uint64_t{r.ecx} * r.ebx / r.eax / 1000);
    }
  }
  if (hypervisor && cpu::cpuid(0x40000000).eax >= 0x40000010) return cpu::cpuid(0x40000010).eax;
  return 0;
}

}  // namespace

CpuFeatures CpuFeatures::detect() {
  CpuFeatures f{};
  const std::uint32_t max_leaf = cpu::cpuid(0).eax;
  const std::uint32_t max_extended = cpu::cpuid(0x80000000).eax;
  const auto leaf1 = cpu::cpuid(1);
  f.global_pages = bit(leaf1.edx, 13);
  f.page_attributes = bit(leaf1.edx, 16);
  f.x2apic = bit(leaf1.ecx, 21);
  f.tsc_deadline = bit(leaf1.ecx, 24);
  f.xsave = bit(leaf1.ecx, 26);
  f.hypervisor = bit(leaf1.ecx, 31);
  if (max_leaf >= 7) {
    const auto leaf7 = cpu::cpuid(7);
    f.smep = bit(leaf7.ebx, 7);
    f.smap = bit(leaf7.ebx, 20);
    f.umip = bit(leaf7.ecx, 2);
  }
  if (f.xsave && max_leaf >= 0xd) f.xsaveopt = bit(cpu::cpuid(0xd, 1).eax, 0);
  const auto extended1 = cpu::cpuid(0x80000001);
  f.no_execute = bit(extended1.edx, 20);
  f.huge_pages = bit(extended1.edx, 26);
  f.physical_address_bits = 36;
  if (max_extended >= 0x80000008) {
    f.physical_address_bits = static_cast<std::uint8_t>(cpu::cpuid(0x80000008).eax & 0xff);
  }
  f.tsc_khz = tsc_khz_from_leaves(max_leaf, f.hypervisor);
  return f;
}

}  // namespace lona::kernel
