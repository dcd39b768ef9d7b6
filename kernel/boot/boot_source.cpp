// SPDX-License-Identifier: BSD-2-Clause
// Source of the layouts: Multiboot Specification 0.6.96 section 3.3, Multiboot2 Specification 2.0
// section 3.6. Every length is checked before it is used.
#include "kernel/boot/boot_source.hpp"

#include <algorithm>

namespace lona::kernel {

namespace {

using Result = std::expected<void, BootSourceError>;

constexpr std::uint64_t kMaxInformationBytes = 1 << 20;

// Multiboot 1: offsets into the information structure and bits of its flags.
constexpr std::uint64_t kInfo1Bytes = 116;
constexpr unsigned kHasMemory = 0, kHasModules = 3, kHasMap = 6, kHasVbe = 11, kHasFramebuffer = 12;

void read_map1(const PhysicalReader& memory, std::uint32_t address, std::uint32_t length,
               BootSource& source) {
  if (length > kMaxInformationBytes) return;
  const auto map = memory.bytes(address, length);
  for (std::size_t at = 0; at + 24 <= map.size();) {
    const std::uint32_t size = load32(&map[at]);  // of the rest of the entry
    if (size < 20 || size > map.size()) return;
    source.add_memory({load64(&map[at + 4]), load64(&map[at + 12]), load32(&map[at + 20])});
    at += std::size_t{size} + 4;
  }
}

void read_modules1(const PhysicalReader& memory, std::uint32_t count, std::uint32_t address,
                   BootSource& source) {
  const std::uint32_t wanted = std::min<std::uint32_t>(count, source.modules.size());
  const auto list = memory.bytes(address, std::uint64_t{wanted} * 16);
  for (std::size_t at = 0; at + 16 <= list.size(); at += 16) {
    source.add_module({load32(&list[at]), load32(&list[at + 4])});
  }
}

void read_vbe1(const PhysicalReader& memory, std::span<const std::uint8_t> info,
               BootSource& source) {
  const auto controller = memory.bytes(load32(&info[72]), source.vbe_info.size());
  const auto mode = memory.bytes(load32(&info[76]), source.vbe_mode_info.size());
  if (controller.empty() || mode.empty() || load32(&info[72]) == 0 || load32(&info[76]) == 0) {
    return;
  }
  std::ranges::copy(controller, source.vbe_info.begin());
  std::ranges::copy(mode, source.vbe_mode_info.begin());
  source.vbe_mode = load16(&info[80]);
  source.vbe_segment = load16(&info[82]);
  source.vbe_offset = load16(&info[84]);
  source.vbe_length = load16(&info[86]);
  source.has_vbe = true;
}

void read_framebuffer(const std::uint8_t* bytes, BootSource& source) {
  source.framebuffer = {
      .address = load64(bytes),
      .pitch = load32(bytes + 8),
      .width = load32(bytes + 12),
      .height = load32(bytes + 16),
      .bits_per_pixel = bytes[20],
      .type = bytes[21],
  };
  source.has_framebuffer = true;
}

Result read_multiboot1(PhysicalAddress address, const PhysicalReader& memory, BootSource& source) {
  const auto info = memory.bytes(address, kInfo1Bytes);
  if (info.empty()) return std::unexpected(BootSourceError::kBadInformation);
  const std::uint32_t flags = load32(&info[0]);
  const auto has = [flags](unsigned bit) { return (flags >> bit & 1) != 0; };

  if (has(kHasMap)) read_map1(memory, load32(&info[48]), load32(&info[44]), source);
  if (source.memory_count == 0 && has(kHasMemory)) {
    // Old loaders give two sizes in KiB: from 0, and from 1 MiB up.
    source.add_memory({0, std::uint64_t{load32(&info[4])} << 10, kMemoryTypeRam});
    source.add_memory({1 << 20, std::uint64_t{load32(&info[8])} << 10, kMemoryTypeRam});
  }
  if (source.memory_count == 0) return std::unexpected(BootSourceError::kNoMemoryMap);
  if (has(kHasModules)) read_modules1(memory, load32(&info[20]), load32(&info[24]), source);
  if (has(kHasVbe)) read_vbe1(memory, info, source);
  if (has(kHasFramebuffer)) read_framebuffer(&info[88], source);
  return {};
}

// Multiboot 2: tags of type and size, each padded to 8 bytes.
enum Tag2 : std::uint32_t {
  kTagEnd = 0,
  kTagModule = 3,
  kTagMap = 6,
  kTagVbe = 7,
  kTagFramebuffer = 8,
  kTagOldRsdp = 14,
  kTagNewRsdp = 15,
};

void read_map2(std::span<const std::uint8_t> tag, BootSource& source) {
  if (tag.size() < 16) return;
  const std::uint32_t entry_size = load32(&tag[8]);
  if (entry_size < 20 || entry_size > tag.size()) return;
  for (std::size_t at = 16; at + entry_size <= tag.size(); at += entry_size) {
    source.add_memory({load64(&tag[at]), load64(&tag[at + 8]), load32(&tag[at + 16])});
  }
}

void read_rsdp2(std::span<const std::uint8_t> tag, std::size_t size, BootSource& source) {
  // The newer form wins whatever the order of the tags.
  if (tag.size() < 8 + size || size <= source.rsdp_size) return;
  std::ranges::copy(tag.subspan(8, size), source.rsdp.begin());
  source.rsdp_size = static_cast<unsigned>(size);
}

void read_vbe2(std::span<const std::uint8_t> tag, BootSource& source) {
  if (tag.size() < 16 + 512 + 256) return;
  source.vbe_mode = load16(&tag[8]);
  source.vbe_segment = load16(&tag[10]);
  source.vbe_offset = load16(&tag[12]);
  source.vbe_length = load16(&tag[14]);
  std::ranges::copy(tag.subspan(16, 512), source.vbe_info.begin());
  std::ranges::copy(tag.subspan(16 + 512, 256), source.vbe_mode_info.begin());
  source.has_vbe = true;
}

void read_tag2(std::uint32_t type, std::span<const std::uint8_t> tag, BootSource& source) {
  switch (type) {
    case kTagModule:
      if (tag.size() >= 16) source.add_module({load32(&tag[8]), load32(&tag[12])});
      break;
    case kTagMap:
      read_map2(tag, source);
      break;
    case kTagVbe:
      read_vbe2(tag, source);
      break;
    case kTagFramebuffer:
      if (tag.size() >= 30) read_framebuffer(&tag[8], source);
      break;
    case kTagOldRsdp:
      read_rsdp2(tag, 20, source);
      break;
    case kTagNewRsdp:
      read_rsdp2(tag, 36, source);
      break;
    default:
      break;
  }
}

Result read_multiboot2(PhysicalAddress address, const PhysicalReader& memory, BootSource& source) {
  const auto head = memory.bytes(address, 8);
  if (head.empty()) return std::unexpected(BootSourceError::kBadInformation);
  const std::uint32_t total = load32(&head[0]);
  if (total < 16 || total > kMaxInformationBytes) {
    return std::unexpected(BootSourceError::kBadInformation);
  }
  const auto info = memory.bytes(address, total);
  for (std::size_t at = 8; at + 8 <= info.size();) {
    const std::uint32_t type = load32(&info[at]);
    const std::uint32_t size = load32(&info[at + 4]);
    if (type == kTagEnd) break;
    if (size < 8 || size > info.size() - at) {
      return std::unexpected(BootSourceError::kBadInformation);
    }
    read_tag2(type, info.subspan(at, size), source);
    at += (std::size_t{size} + 7) & ~std::size_t{7};
  }
  if (source.memory_count == 0) return std::unexpected(BootSourceError::kNoMemoryMap);
  return {};
}

}  // namespace

Result read_boot_source(std::uint32_t magic, PhysicalAddress info, const PhysicalReader& memory,
                        BootSource& source) {
  source = BootSource{};
  if (magic == kMultiboot1Magic) return read_multiboot1(info, memory, source);
  if (magic == kMultiboot2Magic) return read_multiboot2(info, memory, source);
  return std::unexpected(BootSourceError::kUnknownLoader);
}

const char* describe(BootSourceError error) {
  switch (error) {
    case BootSourceError::kUnknownLoader:
      return "the boot loader speaks neither multiboot 1 nor multiboot 2";
    case BootSourceError::kBadInformation:
      return "the boot loader's information structure is damaged";
    case BootSourceError::kNoMemoryMap:
      return "the boot loader gives no memory map";
  }
  return "unknown";
}

}  // namespace lona::kernel
