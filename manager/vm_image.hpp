// SPDX-License-Identifier: BSD-2-Clause
// The VM's ELF, loaded once: text and constants are in large pages that every realm maps, so that
// a realm costs a few mappings and no memory for them; so is the data of the core image, which the
// first realm writes and all others read. What each realm may write is copied from the archive for
// it.
#pragma once

#include <array>
#include <string_view>

#include "base/elf.hpp"
#include "manager/address_space.hpp"
#include "manager/region_table.hpp"

namespace lona::manager {

// A piece of the manager's address space where frames are filled before a realm gets them: 1 MiB
// for small pages, in which nothing else is mapped.
class Window {
 public:
  static constexpr std::uint64_t kSize = 1 << 20;

  // The tables for small pages at `address` are there, or `memory` has room for them.
  Window(Memory& memory, AddressSpace& own, abi::Word address)
      : memory_(memory), own_(own), address_(address) {}

  // Copies `content` to offset `skip` of the run's frames, which are mapped nowhere before or
  // after.
  [[nodiscard]] bool fill(const FrameRun& run, std::uint64_t skip, base::ByteView content);

 private:
  Memory& memory_;
  AddressSpace& own_;
  abi::Word address_;
};

struct LoadedSegment {
  abi::AddressRange pages;  // whole pages
  std::uint64_t lead;       // bytes of the first page before the content
  base::ByteView content;
  RegionType type;
  RegionRights rights;

  [[nodiscard]] bool shared() const {
    return rights != RegionRights::read_write || type == RegionType::core_data;
  }
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
  static constexpr std::size_t kMaxShared = 32;

  // A large page with the content of shared segments; what lies between them is zero.
  struct SharedPage {
    abi::Address address = 0;
    abi::CPtr frame = 0;
    bool first_writes = false;  // the first realm, and no other
  };

  // Nothing, or what is wrong with the file, or that memory ran out.
  [[nodiscard]] base::Expected<void, std::string_view> load(Memory& memory, Window& window,
                                                            base::ByteView file);

  [[nodiscard]] std::span<const LoadedSegment> segments() const {
    return {segments_.data(), count_};
  }
  [[nodiscard]] std::span<const SharedPage> shared() const { return {shared_.data(), pages_}; }
  [[nodiscard]] const base::ElfFile& elf() const { return elf_; }

 private:
  [[nodiscard]] base::Expected<void, std::string_view> plan();
  [[nodiscard]] bool fill_shared(Memory& memory, Window& window, const LoadedSegment& segment);
  [[nodiscard]] abi::CPtr shared_page(Memory& memory, abi::Address address, bool first_writes);

  base::ElfFile elf_;
  std::array<LoadedSegment, kMaxSegments> segments_{};
  std::size_t count_ = 0;
  std::array<SharedPage, kMaxShared> shared_{};
  std::size_t pages_ = 0;
};

// The next power-of-two number of pages to ask for, when `left` pages are still to come.
[[nodiscard]] std::uint64_t next_run(std::uint64_t left);

}  // namespace lona::manager
