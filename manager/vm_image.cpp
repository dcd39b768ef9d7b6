// SPDX-License-Identifier: BSD-2-Clause
#include "manager/vm_image.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/checked.hpp"

namespace lona::manager {

namespace {

using abi::kSmallPage;

// All large pages that the segment's pages lie in.
abi::AddressRange large_pages(const LoadedSegment& segment) {
  const std::uint64_t start = base::align_down<std::uint64_t>(segment.pages.start, abi::kLargePage);
  const std::uint64_t end = segment.pages.end() + abi::kLargePage - 1;
  return {start, base::align_down<std::uint64_t>(end, abi::kLargePage) - start};
}

}  // namespace

std::uint64_t next_run(std::uint64_t left) {
  constexpr std::uint64_t kMaxRun = 256;
  return std::min(std::bit_floor(left), kMaxRun);
}

bool Window::fill(const FrameRun& run, std::uint64_t skip, base::ByteView content) {
  if (content.empty()) {
    return true;
  }
  const std::uint64_t page = std::uint64_t{1} << run.page_bits;
  const std::uint64_t touched = std::min(run.count, (skip + content.size() + page - 1) / page);
  bool good = true;
  std::uint64_t mapped = 0;
  for (; mapped < touched && good; ++mapped) {
    good = own_.map(memory_, run.first + mapped, address_ + mapped * page, abi::kReadWrite) ==
           abi::Error::kNone;
  }
  if (good) {
    std::memcpy(reinterpret_cast<void*>(address_ + skip), content.data(), content.size());
  }
  for (std::uint64_t at = 0; at < mapped; ++at) {
    (void)abi::page_unmap(run.first + at);
  }
  return good;
}

base::Expected<void, std::string_view> VmImage::load(Memory& memory, Window& window,
                                                     base::ByteView file) {
  const auto opened = base::ElfFile::open(file);
  if (!opened) {
    return base::fail(describe(opened.error()));
  }
  elf_ = *opened;
  TRY(plan());
  for (std::size_t index = 0; index < count_; ++index) {
    if (segments_[index].shared() && !fill_shared(memory, window, segments_[index])) {
      return base::fail(std::string_view("there is too little memory for it"));
    }
  }
  return {};
}

// Checks the segments against the address map and W^X before anything is made.
base::Expected<void, std::string_view> VmImage::plan() {
  const auto refuse = [](std::string_view why) { return base::fail(why); };
  std::uint32_t cursor = 0;
  RegionTable disjoint;
  while (const auto segment = elf_.next_segment(cursor)) {
    if (count_ == kMaxSegments) {
      return refuse("it has too many segments");
    }
    if (segment->writable && segment->executable) {
      return refuse("a segment is both writable and executable");
    }
    const bool core = segment->address >= abi::kCoreImageRange.start;
    const abi::AddressRange& part = !core               ? abi::kVmRange
                                    : segment->writable ? abi::kCoreData
                                                        : abi::kCoreConstants;
    if (!part.contains(segment->address, segment->memory_size) || (core && segment->executable)) {
      return refuse("a segment lies outside the address range of the VM");
    }
    const std::uint64_t start = base::align_down<std::uint64_t>(segment->address, kSmallPage);
    const std::uint64_t end =
        *base::align_up<std::uint64_t>(segment->address + segment->memory_size, kSmallPage);
    LoadedSegment& loaded = segments_[count_++];
    loaded.pages = {start, end - start};
    loaded.lead = segment->address - start;
    loaded.content = segment->file;
    loaded.type = core && segment->writable ? RegionType::core_data
                  : core                    ? RegionType::core_constants
                  : segment->executable     ? RegionType::vm_text
                  : segment->writable       ? RegionType::vm_data
                                            : RegionType::vm_constants;
    loaded.rights = segment->executable ? RegionRights::read_execute
                    : segment->writable ? RegionRights::read_write
                                        : RegionRights::read_only;
    if (!disjoint.add({loaded.pages, loaded.type, loaded.rights})) {
      return refuse("two segments share a page");
    }
  }
  for (const LoadedSegment& shared : segments()) {
    for (const LoadedSegment& written : segments()) {
      const abi::AddressRange pages = large_pages(shared);
      if (&shared != &written && shared.shared() && written.rights == RegionRights::read_write &&
          written.pages.start < pages.end() && pages.start < written.pages.end()) {
        return refuse("what may be written shares a large page with what may not");
      }
    }
  }
  return {};
}

// The large page at an address, made when there is none yet; 0 without memory.
abi::CPtr VmImage::shared_page(Memory& memory, abi::Address address, bool first_writes) {
  for (const SharedPage& page : shared()) {
    if (page.address == address) {
      return page.frame;
    }
  }
  const auto run = memory.make_frames(abi::kLargePageBits, 1);
  if (!run || pages_ == kMaxShared) {
    return 0;
  }
  shared_[pages_++] = {.address = address, .frame = run->first, .first_writes = first_writes};
  return run->first;
}

bool VmImage::fill_shared(Memory& memory, Window& window, const LoadedSegment& segment) {
  abi::Address at = base::align_down<std::uint64_t>(segment.pages.start, abi::kLargePage);
  for (; at < segment.pages.end(); at += abi::kLargePage) {
    const abi::CPtr frame = shared_page(memory, at, segment.type == RegionType::core_data);
    const std::uint64_t lead = at < segment.pages.start ? segment.pages.start - at : 0;
    const auto part = content_of(segment, at + lead - segment.pages.start, abi::kLargePage - lead);
    const FrameRun run{.first = frame, .count = 1, .page_bits = abi::kLargePageBits};
    if (frame == 0 || !window.fill(run, lead + part.skip, part.content)) {
      return false;
    }
  }
  return true;
}

SegmentPart content_of(const LoadedSegment& segment, std::uint64_t offset, std::uint64_t size) {
  const std::uint64_t content_end = segment.lead + segment.content.size();
  const std::uint64_t from = std::max(offset, segment.lead);
  const std::uint64_t to = std::min(offset + size, content_end);
  if (from >= to) {
    return {};
  }
  return {.skip = from - offset,
          .content = segment.content.subspan(from - segment.lead, to - from)};
}

}  // namespace lona::manager
