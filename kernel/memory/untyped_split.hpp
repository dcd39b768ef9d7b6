// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <bit>
#include <cstdint>

#include "kernel/memory/physical.hpp"

// Cuts a range of memory into blocks that each are a power of two in size and aligned to it: the
// only shape an Untyped can have.

namespace lona::kernel {

struct UntypedBlock {
  PhysicalAddress base;
  unsigned size_bits;
};

class UntypedSplitter {
 public:
  constexpr UntypedSplitter(PhysicalRange range, unsigned min_bits, unsigned max_bits)
      : range_(range), min_bits_(min_bits), max_bits_(max_bits) {
    const std::uint64_t unit = std::uint64_t{1} << min_bits;
    const PhysicalAddress begin = (range.begin + unit - 1) & ~(unit - 1);
    range_.begin = begin < range.begin ? range.end : begin;
  }

  // False when nothing is left that is large enough.
  constexpr bool next(UntypedBlock& block) {
    if (range_.empty() || range_.size() >> min_bits_ == 0) return false;
    unsigned bits = static_cast<unsigned>(std::bit_width(range_.size())) - 1;
    if (bits > max_bits_) bits = max_bits_;
    // The largest block that the alignment of its start allows (zero is aligned to everything).
    if (range_.begin != 0) {
      const unsigned aligned = static_cast<unsigned>(std::countr_zero(range_.begin));
      if (aligned < bits) bits = aligned;
    }
    block = {range_.begin, bits};
    range_.begin += std::uint64_t{1} << bits;
    return true;
  }

 private:
  PhysicalRange range_;
  unsigned min_bits_;
  unsigned max_bits_;
};

}  // namespace lona::kernel
