// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include "kernel/memory/physical.hpp"

// A set of physical addresses as sorted, disjoint, non-adjacent ranges, in a fixed array since
// there is no heap. Boot works out with it what is free and what is a device.

namespace lona::kernel {

class RegionList {
 public:
  static constexpr std::size_t kCapacity = 128;

  std::span<const PhysicalRange> ranges() const { return {ranges_.data(), count_}; }
  bool empty() const { return count_ == 0; }
  std::uint64_t total() const;
  std::uint64_t largest() const;

  // When the array is full a range is left out and `overflowed` says so: memory is then lost,
  // never given twice.
  void add(PhysicalRange range);
  void remove(PhysicalRange range);
  bool overflowed() const { return overflowed_; }

  // Takes `size` bytes at the lowest possible multiple of `alignment` (a power of two); nothing
  // when no range is large enough.
  std::optional<PhysicalAddress> take(std::uint64_t size, std::uint64_t alignment);

  // Shrinks every range to whole pages of `page` bytes.
  void trim_to_pages(std::uint64_t page);

 private:
  void erase(std::size_t index);
  bool insert(std::size_t index, PhysicalRange range);

  std::array<PhysicalRange, kCapacity> ranges_{};
  std::size_t count_ = 0;
  bool overflowed_ = false;
};

}  // namespace lona::kernel
