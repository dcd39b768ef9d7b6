// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <span>

#include "kernel/memory/physical.hpp"

// The little that the kernel needs from ACPI: the processors, and where interrupt controllers and
// IOMMUs are. The tables are hostile input: lengths are bounded, checksums verified, lists cut at a
// fixed number.

namespace lona::kernel {

struct IoApicEntry {
  std::uint8_t id;
  std::uint32_t address;
  std::uint32_t first_interrupt;
};

// Where an ISA interrupt really arrives. The kernel's interface names I/O APIC pins, so this is
// for the boot log; user space reads the tables itself.
struct InterruptOverride {
  std::uint8_t isa_line;
  std::uint32_t interrupt;
  std::uint16_t flags;
};

struct AcpiInfo {
  static constexpr unsigned kMaxIoApics = 8;
  static constexpr unsigned kMaxOverrides = 16;
  static constexpr unsigned kMaxProcessors = 64;

  std::array<std::uint8_t, 36> rsdp;
  unsigned rsdp_size;  // 20 or 36
  std::uint64_t local_apic_address;
  bool has_legacy_pic;
  std::array<std::uint32_t, kMaxProcessors> processors;  // APIC numbers of those that may be used
  unsigned processor_count;
  std::array<IoApicEntry, kMaxIoApics> io_apics;
  unsigned io_apic_count;
  std::array<InterruptOverride, kMaxOverrides> overrides;
  unsigned override_count;
  static constexpr unsigned kMaxRemappingUnits = 8;
  std::array<std::uint64_t, kMaxRemappingUnits> remapping_units;  // registers of VT-d units
  unsigned remapping_unit_count;
};

enum class AcpiError { kNoRootPointer, kBadRootTable, kNoInterruptTable };

// `rsdp` is the loader's copy of the root pointer; empty: search where the BIOS puts it.
std::expected<AcpiInfo, AcpiError> read_acpi(const PhysicalReader& memory,
                                             std::span<const std::uint8_t> rsdp);

const char* describe(AcpiError error);

// Could a controller's registers, one page at most, lie here? Not in RAM, where firmware or the
// loader say that there is some, nor below 1 MiB, nor where the processor cannot reach.
bool is_device_address(std::uint64_t address, std::span<const PhysicalRange> ram,
                       unsigned physical_address_bits);
// The I/O APICs and remapping units for which that is not so are forgotten: the kernel would write
// to somebody's memory.
void drop_misplaced_controllers(AcpiInfo& info, std::span<const PhysicalRange> ram,
                                unsigned physical_address_bits);

}  // namespace lona::kernel
