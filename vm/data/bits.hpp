// SPDX-License-Identifier: BSD-2-Clause
// Numbers at any bit of a sequence of bytes: bit 0 is the highest bit of the first byte.
//
// A little-endian field of a size that is no multiple of eight has its lowest eight bits first and
// its highest, incomplete byte last.
#pragma once

#include "vm/data/binary.hpp"

namespace lona::vm {

struct FieldType {
  bool little = false;
  bool is_signed = false;
  bool is_float = false;  // 32 or 64 bits
};

// `bits` bits, 1 to 57, from bit `at` on, highest first. The eight bytes before the field's end
// must be readable, which they are: a header word stands before all bytes.
inline std::uint64_t peek_bits(const std::uint8_t* bytes, std::size_t at, unsigned bits) {
  std::size_t end = at + bits;
  const std::uint8_t* last = bytes + (end + 7) / 8;
  std::uint64_t word;
  __builtin_memcpy(&word, last - 8, 8);
  return __builtin_bswap64(word) >> (-end & 7) & ((std::uint64_t{1} << bits) - 1);
}

// Words a field's number takes on the heap at most.
std::size_t field_words(std::size_t bits);

// The number in `bits` bits from bit `at` on, which the caller has checked to be there. `absent`
// when there is no memory.
Term read_field(Heap& heap, const std::uint8_t* bytes, std::size_t at, std::size_t bits,
                FieldType type);

// Puts the low `bits` bits of a number at bit `at` of bytes that were zero from there on. False
// when `number` is none of the kind that the field holds.
bool write_field(Heap& heap, std::uint8_t* bytes, std::size_t at, std::size_t bits, FieldType type,
                 Term number);

// Copies `bits` bits to bit `at` of bytes that were zero from there on.
void copy_bits(std::uint8_t* to, std::size_t at, const std::uint8_t* from, std::size_t bits);

}  // namespace lona::vm
