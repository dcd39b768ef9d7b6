// SPDX-License-Identifier: BSD-2-Clause
// The VM's ELF, loaded once: text and constants are in frames that every realm maps; what a realm
// may write is copied from the archive for each.
#pragma once

#include <array>
#include <string_view>

#include "base/elf.hpp"
#include "manager/address_space.hpp"
#include "manager/region_table.hpp"

namespace lona::manager {

// A piece of the manager's address space where frames are filled before a realm gets them.
class Window {
 public:
  Window(Memory& memory, AddressSpace& own) : memory_(memory), own_(own) {}

  // Copies `content` to offset `skip` of the run's frames, which are mapped nowhere before or
  // after.
  [[nodiscard]] bool fill(const FrameRun& run, std::uint64_t skip, base::ByteView content);

 private:
  static constexpr abi::Word kAddress = 0x30'0000'0000;

  Memory& memory_;
  AddressSpace& own_;
};

struct LoadedSegment {
  static constexpr std::size_t kMaxRuns = 32;

  abi::AddressRange pages;  // whole pages
  std::uint64_t lead;       // bytes of the first page before the content
  base::ByteView content;
  RegionType type;
  RegionRights rights;
  std::array<FrameRun, kMaxRuns> runs{};  // shared segments only
  std::size_t run_count = 0;

  [[nodiscard]] bool shared() const { return rights != RegionRights::read_write; }
};

// The bytes of the file that belong to [offset, offset + size) of a segment's pages, and where in
// that piece they start; all else is zero.
struct SegmentPart {
  std::uint64_t skip = 0;
  base::ByteView content;
};
[[nodiscard]] SegmentPart content_of(const LoadedSegment& segment, std::uint64_t offset,
                                     std::uint64_t size);

class VmImage {
 public:
  static constexpr std::size_t kMaxSegments = 8;

  // Nothing, or what is wrong with the file, or that memory ran out.
  [[nodiscard]] base::Expected<void, std::string_view> load(Memory& memory, Window& window,
                                                            base::ByteView file);

  [[nodiscard]] std::span<const LoadedSegment> segments() const {
    return {segments_.data(), count_};
  }
  [[nodiscard]] const base::ElfFile& elf() const { return elf_; }

 private:
  [[nodiscard]] base::Expected<void, std::string_view> plan();
  [[nodiscard]] static bool fill_shared(Memory& memory, Window& window, LoadedSegment& segment);

  base::ElfFile elf_;
  std::array<LoadedSegment, kMaxSegments> segments_{};
  std::size_t count_ = 0;
};

// The next power-of-two number of pages to ask for, when `left` pages are still to come.
[[nodiscard]] std::uint64_t next_run(std::uint64_t left);

}  // namespace lona::manager
