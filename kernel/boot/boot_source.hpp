// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <span>

#include "kernel/memory/physical.hpp"

// What the boot loader tells, in one form for both multiboot protocols. Everything is copied out
// of the loader's memory, since that memory becomes free.

namespace lona::kernel {

struct MemoryMapEntry {
  std::uint64_t base;
  std::uint64_t length;
  std::uint32_t type;  // 1 is RAM; anything else stays away from the kernel
};
inline constexpr std::uint32_t kMemoryTypeRam = 1;

struct FramebufferInfo {
  std::uint64_t address;
  std::uint32_t pitch, width, height;
  std::uint8_t bits_per_pixel;
  std::uint8_t type;
};

struct BootSource {
  static constexpr unsigned kMaxMemoryEntries = 64;

  std::array<MemoryMapEntry, kMaxMemoryEntries> memory_entries;
  unsigned memory_count;
  std::array<PhysicalRange, 8> modules;
  unsigned module_count;
  // ACPI root pointer if the loader passes one: 20 bytes (revision 0) or 36.
  std::array<std::uint8_t, 36> rsdp;
  unsigned rsdp_size;
  bool has_framebuffer;
  FramebufferInfo framebuffer;
  bool has_vbe;
  std::array<std::uint8_t, 512> vbe_info;
  std::array<std::uint8_t, 256> vbe_mode_info;
  std::uint16_t vbe_mode, vbe_segment, vbe_offset, vbe_length;

  std::span<const MemoryMapEntry> memory() const { return {memory_entries.data(), memory_count}; }
  void add_memory(const MemoryMapEntry& entry) {
    // A map with more entries than fit loses the last ones: memory is lost, nothing else.
    if (memory_count < kMaxMemoryEntries) memory_entries[memory_count++] = entry;
  }
  void add_module(PhysicalRange range) {
    if (module_count < modules.size() && !range.empty()) modules[module_count++] = range;
  }
};

enum class BootSourceError {
  kUnknownLoader,   // the magic word is of neither protocol
  kBadInformation,  // the information structure does not lie in memory or contradicts itself
  kNoMemoryMap,
};

inline constexpr std::uint32_t kMultiboot1Magic = 0x2badb002;
inline constexpr std::uint32_t kMultiboot2Magic = 0x36d76289;

// `source` is a caller's static: it is too large for the kernel stack.
std::expected<void, BootSourceError> read_boot_source(std::uint32_t magic, PhysicalAddress info,
                                                      const PhysicalReader& memory,
                                                      BootSource& source);

const char* describe(BootSourceError error);

}  // namespace lona::kernel
