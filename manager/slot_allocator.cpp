// SPDX-License-Identifier: BSD-2-Clause
#include "manager/slot_allocator.hpp"

#include <algorithm>

#include "base/bit_run.hpp"

namespace lona::manager {

void SlotAllocator::Page::set(std::uint64_t at, bool value) {
  const std::uint64_t bit = std::uint64_t{1} << (at % 64);
  used[at / 64] = value ? used[at / 64] | bit : used[at / 64] & ~bit;
}

std::optional<std::uint64_t> SlotAllocator::Page::find(std::uint64_t wanted) const {
  return base::find_clear_run(used, hint, count, wanted);
}

bool SlotAllocator::add(abi::CPtr first, std::uint64_t count) {
  if (pages_used_ == pages_.size()) {
    return false;
  }
  Page& page = pages_[pages_used_++];
  page.first = first;
  page.count = std::min(count, kPageSlots);
  page.free = page.count;
  free_ += page.count;
  return true;
}

std::optional<abi::CPtr> SlotAllocator::take(std::uint64_t count) {
  for (std::size_t index = 0; index < pages_used_; ++index) {
    Page& page = pages_[index];
    if (count == 0 || page.free < count) {
      continue;
    }
    const auto found = page.find(count);
    if (!found) {
      continue;
    }
    for (std::uint64_t at = *found; at < *found + count; ++at) {
      page.set(at, true);
    }
    if (count == 1) {
      page.hint = *found + 1;  // the search went through everything below
    }
    page.free -= count;
    free_ -= count;
    return page.first + *found;
  }
  return std::nullopt;
}

void SlotAllocator::give(abi::CPtr first, std::uint64_t count) {
  for (std::size_t index = 0; index < pages_used_; ++index) {
    Page& page = pages_[index];
    if (first < page.first || first - page.first >= page.count) {
      continue;
    }
    const std::uint64_t start = first - page.first;
    for (std::uint64_t at = start; at < start + count; ++at) {
      page.set(at, false);
    }
    page.hint = std::min(page.hint, start);
    page.free += count;
    free_ += count;
    return;
  }
}

}  // namespace lona::manager
