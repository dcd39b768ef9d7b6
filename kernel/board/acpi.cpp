// SPDX-License-Identifier: BSD-2-Clause
// Source of the layouts: ACPI Specification 6.5, sections 5.2.5 (root pointer), 5.2.7 and 5.2.8
// (root tables), 5.2.12 (multiple APIC description table).
#include "kernel/board/acpi.hpp"

#include <algorithm>
#include <cstring>

namespace lona::kernel {

namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kOldRsdpBytes = 20, kNewRsdpBytes = 36, kTableHeaderBytes = 36;
constexpr std::uint32_t kMaxTableBytes = 1 << 20;
constexpr std::size_t kMaxTables = 256;
constexpr std::size_t kMadtFixedBytes = 44;

bool checksum_is_zero(Bytes bytes) {
  std::uint8_t sum = 0;
  for (const std::uint8_t byte : bytes) sum = static_cast<std::uint8_t>(sum + byte);
  return sum == 0;
}

bool has_signature(Bytes bytes, const char* signature, std::size_t length) {
  return bytes.size() >= length && std::memcmp(bytes.data(), signature, length) == 0;
}

// The usable size of a root pointer, 0 when it is none. A bad second checksum leaves the old half.
unsigned rsdp_size(Bytes bytes) {
  if (bytes.size() < kOldRsdpBytes || !has_signature(bytes, "RSD PTR ", 8)) return 0;
  if (!checksum_is_zero(bytes.first(kOldRsdpBytes))) return 0;
  const std::uint8_t revision = bytes[15];
  if (revision >= 2 && bytes.size() >= kNewRsdpBytes && load32(&bytes[20]) == kNewRsdpBytes &&
      checksum_is_zero(bytes.first(kNewRsdpBytes))) {
    return kNewRsdpBytes;
  }
  return kOldRsdpBytes;
}

bool search_rsdp(const PhysicalReader& memory, PhysicalRange area, AcpiInfo& info) {
  for (PhysicalAddress at = area.begin; at + kOldRsdpBytes <= area.end; at += 16) {
    Bytes bytes = memory.bytes(at, kNewRsdpBytes);
    if (bytes.empty()) bytes = memory.bytes(at, kOldRsdpBytes);
    const unsigned size = rsdp_size(bytes);
    if (size == 0) continue;
    std::ranges::copy(bytes.first(size), info.rsdp.begin());
    info.rsdp_size = size;
    return true;
  }
  return false;
}

bool find_rsdp(const PhysicalReader& memory, Bytes given, AcpiInfo& info) {
  if (const unsigned size = rsdp_size(given); size != 0) {
    std::ranges::copy(given.first(size), info.rsdp.begin());
    info.rsdp_size = size;
    return true;
  }
  // The BIOS notes the segment of its extended data area at 0x40e.
  if (const Bytes segment = memory.bytes(0x40e, 2); !segment.empty()) {
    const PhysicalAddress area = PhysicalAddress{load16(segment.data())} << 4;
    if (area >= 0x400 && search_rsdp(memory, {area, area + 1024}, info)) return true;
  }
  return search_rsdp(memory, {0xe0000, 0x100000}, info);
}

// A table whose length and checksum are right, or nothing.
Bytes read_table(const PhysicalReader& memory, PhysicalAddress address) {
  const Bytes header = memory.bytes(address, kTableHeaderBytes);
  if (header.empty()) return {};
  const std::uint32_t length = load32(&header[4]);
  if (length < kTableHeaderBytes || length > kMaxTableBytes) return {};
  const Bytes table = memory.bytes(address, length);
  if (table.empty() || !checksum_is_zero(table)) return {};
  return table;
}

void add_processor(std::uint32_t apic_id, std::uint32_t flags, AcpiInfo& info) {
  constexpr std::uint32_t kEnabled = 1;
  if ((flags & kEnabled) == 0 || info.processor_count == AcpiInfo::kMaxProcessors) return;
  // Firmware may list a processor in both forms.
  const auto known = std::span(info.processors).first(info.processor_count);
  if (std::ranges::find(known, apic_id) == known.end()) {
    info.processors[info.processor_count++] = apic_id;
  }
}

void read_madt_entry(Bytes entry, AcpiInfo& info) {
  enum : std::uint8_t {
    kLocalApic = 0,
    kIoApic = 1,
    kOverride = 2,
    kLocalApicAddress = 5,
    kLocalX2Apic = 9
  };
  switch (entry[0]) {
    case kLocalApic:
      if (entry.size() >= 8) add_processor(entry[3], load32(&entry[4]), info);
      break;
    case kLocalX2Apic:
      if (entry.size() >= 16) add_processor(load32(&entry[4]), load32(&entry[8]), info);
      break;
    case kIoApic:
      if (entry.size() >= 12 && info.io_apic_count < AcpiInfo::kMaxIoApics) {
        info.io_apics[info.io_apic_count++] = {entry[2], load32(&entry[4]), load32(&entry[8])};
      }
      break;
    case kOverride:
      if (entry.size() >= 10 && info.override_count < AcpiInfo::kMaxOverrides) {
        info.overrides[info.override_count++] = {entry[3], load32(&entry[4]), load16(&entry[8])};
      }
      break;
    case kLocalApicAddress:
      if (entry.size() >= 12) info.local_apic_address = load64(&entry[4]);
      break;
    default:
      break;
  }
}

bool read_madt(Bytes table, AcpiInfo& info) {
  if (table.size() < kMadtFixedBytes) return false;
  info.local_apic_address = load32(&table[36]);
  info.has_legacy_pic = (load32(&table[40]) & 1) != 0;
  for (std::size_t at = kMadtFixedBytes; at + 2 <= table.size();) {
    const std::uint8_t length = table[at + 1];
    if (length < 2 || length > table.size() - at) break;
    read_madt_entry(table.subspan(at, length), info);
    at += length;
  }
  return true;
}

// Intel VT-d specification, 8.1: after the header and 12 bytes, structures of type and length.
void read_dmar(Bytes table, AcpiInfo& info) {
  constexpr std::size_t kFixedBytes = kTableHeaderBytes + 12;
  constexpr std::uint16_t kUnit = 0;
  for (std::size_t at = kFixedBytes; at + 4 <= table.size();) {
    const std::uint16_t length = load16(&table[at + 2]);
    if (length < 4 || length > table.size() - at) break;
    if (load16(&table[at]) == kUnit && length >= 16 &&
        info.remapping_unit_count < AcpiInfo::kMaxRemappingUnits) {
      info.remapping_units[info.remapping_unit_count++] = load64(&table[at + 8]);
    }
    at += length;
  }
}

}  // namespace

std::expected<AcpiInfo, AcpiError> read_acpi(const PhysicalReader& memory, Bytes rsdp) {
  AcpiInfo info{};
  if (!find_rsdp(memory, rsdp, info)) return std::unexpected(AcpiError::kNoRootPointer);

  const bool wide = info.rsdp_size == kNewRsdpBytes && load64(&info.rsdp[24]) != 0;
  const PhysicalAddress root_address = wide ? load64(&info.rsdp[24]) : load32(&info.rsdp[16]);
  const Bytes root = read_table(memory, root_address);
  if (!has_signature(root, wide ? "XSDT" : "RSDT", 4)) {
    return std::unexpected(AcpiError::kBadRootTable);
  }

  bool found = false;
  const std::size_t step = wide ? 8 : 4;
  const std::size_t count = std::min((root.size() - kTableHeaderBytes) / step, kMaxTables);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t* entry = &root[kTableHeaderBytes + i * step];
    const Bytes table = read_table(memory, wide ? load64(entry) : load32(entry));
    if (has_signature(table, "APIC", 4) && !found) found = read_madt(table, info);
    if (has_signature(table, "DMAR", 4)) read_dmar(table, info);
  }
  if (!found) return std::unexpected(AcpiError::kNoInterruptTable);
  return info;
}

bool is_device_address(std::uint64_t address, std::span<const PhysicalRange> ram,
                       unsigned physical_address_bits) {
  constexpr std::uint64_t kPage = 4096, kLowest = 1 << 20;
  const std::uint64_t limit = std::uint64_t{1} << physical_address_bits;
  if (address % kPage != 0 || address < kLowest || address >= limit) return false;
  return std::ranges::none_of(ram, [address](const PhysicalRange& range) {
    return address < range.end && address + kPage > range.begin;
  });
}

void drop_misplaced_controllers(AcpiInfo& info, std::span<const PhysicalRange> ram,
                                unsigned physical_address_bits) {
  const auto misplaced = [&](std::uint64_t address) {
    return !is_device_address(address, ram, physical_address_bits);
  };
  IoApicEntry* const io_apics = info.io_apics.data();
  info.io_apic_count = static_cast<unsigned>(
      std::remove_if(io_apics, io_apics + info.io_apic_count,
                     [&](const IoApicEntry& entry) { return misplaced(entry.address); }) -
      io_apics);
  std::uint64_t* const units = info.remapping_units.data();
  info.remapping_unit_count = static_cast<unsigned>(
      std::remove_if(units, units + info.remapping_unit_count, misplaced) - units);
}

const char* describe(AcpiError error) {
  switch (error) {
    case AcpiError::kNoRootPointer:
      return "no ACPI root pointer";
    case AcpiError::kBadRootTable:
      return "ACPI root table damaged";
    case AcpiError::kNoInterruptTable:
      return "no usable ACPI interrupt table";
  }
  return "unknown";
}

}  // namespace lona::kernel
