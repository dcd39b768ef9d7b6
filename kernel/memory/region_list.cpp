// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/memory/region_list.hpp"

#include <algorithm>

namespace lona::kernel {

std::uint64_t RegionList::total() const {
  std::uint64_t sum = 0;
  for (const PhysicalRange& range : ranges()) sum += range.size();
  return sum;
}

std::uint64_t RegionList::largest() const {
  std::uint64_t best = 0;
  for (const PhysicalRange& range : ranges()) best = std::max(best, range.size());
  return best;
}

void RegionList::erase(std::size_t index) {
  for (std::size_t i = index; i + 1 < count_; ++i) ranges_[i] = ranges_[i + 1];
  --count_;
}

bool RegionList::insert(std::size_t index, PhysicalRange range) {
  if (count_ == kCapacity) {
    overflowed_ = true;
    return false;
  }
  for (std::size_t i = count_; i > index; --i) ranges_[i] = ranges_[i - 1];
  ranges_[index] = range;
  ++count_;
  return true;
}

void RegionList::add(PhysicalRange range) {
  if (range.empty()) return;
  std::size_t index = 0;
  while (index < count_ && ranges_[index].end < range.begin) ++index;
  // Everything that touches the new range becomes part of it.
  while (index < count_ && ranges_[index].begin <= range.end) {
    range.begin = std::min(range.begin, ranges_[index].begin);
    range.end = std::max(range.end, ranges_[index].end);
    erase(index);
  }
  insert(index, range);
}

void RegionList::remove(PhysicalRange range) {
  if (range.empty()) return;
  for (std::size_t index = 0; index < count_;) {
    const PhysicalRange old = ranges_[index];
    if (old.end <= range.begin || old.begin >= range.end) {
      ++index;
      continue;
    }
    const PhysicalRange low{old.begin, std::min(old.end, range.begin)};
    const PhysicalRange high{std::max(old.begin, range.end), old.end};
    if (low.empty() && high.empty()) {
      erase(index);
    } else if (low.empty() || high.empty()) {
      ranges_[index++] = low.empty() ? high : low;
    } else {
      ranges_[index] = low;
      insert(index + 1, high);
      return;
    }
  }
}

std::optional<PhysicalAddress> RegionList::take(std::uint64_t size, std::uint64_t alignment) {
  if (size == 0) return std::nullopt;
  for (std::size_t i = 0; i < count_; ++i) {
    const PhysicalRange range = ranges_[i];
    const PhysicalAddress begin = (range.begin + alignment - 1) & ~(alignment - 1);
    if (begin < range.begin || begin >= range.end || range.end - begin < size) continue;
    remove({begin, begin + size});
    return begin;
  }
  return std::nullopt;
}

void RegionList::trim_to_pages(std::uint64_t page) {
  for (std::size_t i = 0; i < count_;) {
    PhysicalRange& range = ranges_[i];
    const PhysicalAddress begin = (range.begin + page - 1) & ~(page - 1);
    range.end &= ~(page - 1);
    if (begin < range.begin || begin >= range.end) {
      erase(i);
      continue;
    }
    range.begin = begin;
    ++i;
  }
}

}  // namespace lona::kernel
