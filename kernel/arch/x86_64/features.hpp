// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

// What this processor can do, read once at boot. The kernel runs on any 64-bit PC; everything
// newer than the first ones is used only where it is listed here.

namespace lona::kernel {

struct CpuFeatures {
  bool no_execute;
  bool huge_pages;
  bool global_pages;
  bool page_attributes;  // PAT
  bool smep, smap, umip;
  bool xsave, xsaveopt;
  bool x2apic;
  bool tsc_deadline;
  bool hypervisor;
  std::uint8_t physical_address_bits;
  std::uint32_t tsc_khz;  // if the processor or a hypervisor tells, else 0

  static CpuFeatures detect();
};

extern CpuFeatures cpu_features;

}  // namespace lona::kernel
