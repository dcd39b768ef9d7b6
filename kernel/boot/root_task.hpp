// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "kernel/boot/boot_source.hpp"
#include "kernel/memory/memory_plan.hpp"

// The first thread: its memory, its capabilities and what it is told (manual, chapter "System
// Bootstrapping").

namespace lona::kernel {

struct BootFacts {
  const BootSource& source;
  std::span<const std::uint8_t> acpi_root;  // root pointer: 20 or 36 bytes, or empty
  std::uint32_t clock_mhz;
  unsigned cores;
};

// Takes what it needs from `plan.free`, hands the rest out as untyped memory, and leaves the
// thread ready to run. Does not return if the machine or the image is unfit.
void create_root_task(const BootFacts& facts, MemoryPlan& plan);

}  // namespace lona::kernel
