// SPDX-License-Identifier: BSD-2-Clause
// How a segment of a #bits[…] is told to instructions and to `build-bits`: one small integer.
#pragma once

#include "vm/data/bits.hpp"

namespace lona::vm {

struct Segment {
  static constexpr std::size_t kMaxBits = std::size_t{1} << 24;  // of a number

  bool little = false, is_signed = false, is_float = false;
  bool bytes = false;    // a binary; its size counts bytes
  bool dynamic = false;  // the size is known at run time only
  bool whole = false;    // all there is
  std::uint32_t size = 0;

  FieldType field() const { return {little, is_signed, is_float}; }
  constexpr std::uint64_t encode() const {
    return std::uint64_t{size} << 8 | little | is_signed << 1 | is_float << 2 | bytes << 3 |
           dynamic << 4 | whole << 5;
  }
  static constexpr Segment decode(std::uint64_t code) {
    return {(code & 1) != 0,
            (code & 2) != 0,
            (code & 4) != 0,
            (code & 8) != 0,
            (code & 16) != 0,
            (code & 32) != 0,
            static_cast<std::uint32_t>(code >> 8)};
  }
};

}  // namespace lona::vm
