// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/boot/extra_boot_info.hpp"

#include <algorithm>
#include <cstring>

#include "abi/sel4/boot_info.hpp"

namespace lona::kernel {

namespace {

using abi::BootInfoHeader;
using abi::BootInfoId;

constexpr std::size_t kRsdpBytes = 36;

// As the multiboot 2 tag without its head.
struct [[gnu::packed]] FramebufferChunk {
  BootInfoHeader header;
  std::uint64_t address;
  std::uint32_t pitch, width, height;
  std::uint8_t bits_per_pixel, type;
};
struct [[gnu::packed]] RsdpChunk {
  BootInfoHeader header;
  std::uint8_t rsdp[kRsdpBytes];
};
struct [[gnu::packed]] ClockChunk {
  BootInfoHeader header;
  std::uint32_t mhz;
};

class ChunkWriter {
 public:
  explicit ChunkWriter(std::span<std::byte> out) : out_(out) {}

  template <typename Chunk>
  void write(BootInfoId id, Chunk& chunk) {
    chunk.header = {static_cast<abi::Word>(id), sizeof(Chunk)};
    if (out_.size() - used_ < sizeof(Chunk)) return;
    std::memcpy(out_.data() + used_, &chunk, sizeof(Chunk));
    used_ += sizeof(Chunk);
  }
  std::size_t used() const { return used_; }

 private:
  std::span<std::byte> out_;
  std::size_t used_ = 0;
};

void write_memory_map(const BootSource& source, ChunkWriter& writer) {
  abi::BootInfoMmap chunk{};
  const std::size_t count =
      std::min<std::size_t>(source.memory_count, abi::kMultibootMaxMmapEntries);
  for (std::size_t i = 0; i < count; ++i) {
    const MemoryMapEntry& entry = source.memory_entries[i];
    chunk.entries[i] = {20, entry.base, entry.length, entry.type};
  }
  chunk.mmap_length = static_cast<std::uint32_t>(count * sizeof(abi::MultibootMmapEntry));
  writer.write(BootInfoId::kX86MultibootMmap, chunk);
}

void write_vbe(const BootSource& source, ChunkWriter& writer) {
  abi::BootInfoVbe chunk{};
  std::memcpy(chunk.info, source.vbe_info.data(), sizeof(chunk.info));
  std::memcpy(chunk.mode_info, source.vbe_mode_info.data(), sizeof(chunk.mode_info));
  chunk.mode = source.vbe_mode;
  chunk.interface_segment = source.vbe_segment;
  chunk.interface_offset = source.vbe_offset;
  chunk.interface_length = source.vbe_length;
  writer.write(BootInfoId::kX86Vbe, chunk);
}

}  // namespace

std::size_t extra_boot_info_bytes(const BootFacts& facts) {
  std::size_t bytes = sizeof(abi::BootInfoMmap) + sizeof(ClockChunk);
  if (facts.source.has_vbe) bytes += sizeof(abi::BootInfoVbe);
  if (!facts.acpi_root.empty()) bytes += sizeof(RsdpChunk);
  if (facts.source.has_framebuffer) bytes += sizeof(FramebufferChunk);
  return bytes;
}

std::size_t write_extra_boot_info(const BootFacts& facts, std::span<std::byte> out) {
  ChunkWriter writer(out);
  if (facts.source.has_vbe) write_vbe(facts.source, writer);
  if (!facts.acpi_root.empty()) {
    RsdpChunk chunk{};
    std::memcpy(chunk.rsdp, facts.acpi_root.data(), std::min(facts.acpi_root.size(), kRsdpBytes));
    writer.write(BootInfoId::kX86AcpiRsdp, chunk);
  }
  if (facts.source.has_framebuffer) {
    const FramebufferInfo& f = facts.source.framebuffer;
    FramebufferChunk chunk{{}, f.address, f.pitch, f.width, f.height, f.bits_per_pixel, f.type};
    writer.write(BootInfoId::kX86Framebuffer, chunk);
  }
  write_memory_map(facts.source, writer);
  ClockChunk clock{{}, facts.clock_mhz};
  writer.write(BootInfoId::kX86TscFreq, clock);
  return writer.used();
}

}  // namespace lona::kernel
