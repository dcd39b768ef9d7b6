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

// A segment in an instruction, with its place: `offset` bits behind the start of the binary or
// behind the position that a register holds.
struct BitsField {
  static constexpr std::size_t kMaxOffset = std::size_t{1} << 24;
  // Places in the encoded word.
  static constexpr std::uint64_t kDynamic = std::uint64_t{1} << 28;
  static constexpr std::uint64_t kAdvance = std::uint64_t{1} << 30;
  static constexpr std::uint64_t kFromStart = std::uint64_t{1} << 31;
  static constexpr unsigned kSizeShift = 32;

  Segment segment;  // when dynamic, its size is the register that holds the size
  std::size_t offset = 0;
  bool advance = false;     // the position register then holds where the segment ends
  bool from_start = false;  // the position register does not hold anything yet

  constexpr std::uint64_t encode() const {
    return segment.encode() << 24 | std::uint64_t{advance} << 30 | std::uint64_t{from_start} << 31 |
           offset;
  }
  static constexpr BitsField decode(std::uint64_t word) {
    return {Segment::decode(word >> 24), word & (kMaxOffset - 1), (word >> 30 & 1) != 0,
            (word >> 31 & 1) != 0};
  }
};
static_assert(
    BitsField::decode(
        BitsField{.segment = {.whole = true, .size = 77}, .offset = 5, .advance = true}.encode())
        .segment.size == 77);

static_assert(BitsField{.segment = {.dynamic = true, .size = 1}}.encode() ==
              (BitsField::kDynamic | std::uint64_t{1} << BitsField::kSizeShift));

}  // namespace lona::vm
