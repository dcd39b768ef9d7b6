// SPDX-License-Identifier: BSD-2-Clause
#include "vm/data/bits.hpp"

#include <bit>
#include <cstring>

#include "vm/number/arithmetic.hpp"
#include "vm/number/integer.hpp"

namespace lona::vm {

namespace {

// Up to 64 bits, highest first.
std::uint64_t get_bits(const std::uint8_t* bytes, std::size_t at, std::size_t bits) {
  if (bits == 0) return 0;
  if (bits <= 57) return peek_bits(bytes, at, static_cast<unsigned>(bits));
  std::uint64_t high = peek_bits(bytes, at, static_cast<unsigned>(bits - 32));
  return high << 32 | peek_bits(bytes, at + bits - 32, 32);
}

void put_bits(std::uint8_t* bytes, std::size_t at, std::uint64_t value, std::size_t bits) {
  while (bits > 0) {
    std::size_t room = 8 - at % 8;
    std::size_t n = bits < room ? bits : room;
    std::uint64_t piece = value >> (bits - n) & ((1u << n) - 1);
    bytes[at / 8] |= static_cast<std::uint8_t>(piece << (room - n));
    at += n;
    bits -= n;
  }
}

// Bits [64 limb, 64 limb + 64) of a field's number, counted from its lowest.
std::uint64_t limb_of(const std::uint8_t* bytes, std::size_t at, std::size_t bits, bool little,
                      std::size_t limb) {
  std::size_t low = 64 * limb, n = bits - low < 64 ? bits - low : 64;
  if (!little) return get_bits(bytes, at + bits - low - n, n);
  std::uint64_t value = 0;
  for (std::size_t done = 0; done < n; done += 8) {
    std::size_t piece = n - done < 8 ? n - done : 8;
    value |= get_bits(bytes, at + low + done, piece) << done;
  }
  return value;
}

void put_limb(std::uint8_t* bytes, std::size_t at, std::size_t bits, bool little, std::size_t limb,
              std::uint64_t value) {
  std::size_t low = 64 * limb, n = bits - low < 64 ? bits - low : 64;
  if (!little) return put_bits(bytes, at + bits - low - n, value, n);
  for (std::size_t done = 0; done < n; done += 8) {
    std::size_t piece = n - done < 8 ? n - done : 8;
    put_bits(bytes, at + low + done, value >> done, piece);
  }
}

void put_wide(std::uint8_t* bytes, std::size_t at, std::size_t bits, bool little, Wide value) {
  for (std::size_t limb = 0; 64 * limb < bits; limb++) {
    put_limb(bytes, at, bits, little, limb, static_cast<std::uint64_t>(value));
    value >>= 64;
  }
}

// The field's number when it has more than 64 bits.
Term read_large(Heap& heap, const std::uint8_t* bytes, std::size_t at, std::size_t bits,
                FieldType type) {
  std::size_t limbs = (bits + 63) / 64;
  NewInteger number(heap, limbs);
  if (!number) return Term::absent();
  Limb* to = number.limbs();
  for (std::size_t i = 0; i < limbs; i++) to[i] = limb_of(bytes, at, bits, type.little, i);
  unsigned in_last = static_cast<unsigned>((bits - 1) % 64 + 1);
  bool negative = type.is_signed && (to[limbs - 1] >> (in_last - 1) & 1) != 0;
  if (negative) {
    // The magnitude is the complement and 1.
    bool carry = true;
    for (std::size_t i = 0; i < limbs; i++) {
      to[i] = ~to[i] + carry;
      carry = carry && to[i] == 0;
    }
    if (in_last < 64) to[limbs - 1] &= (Limb{1} << in_last) - 1;
  }
  return number.finish(negative);
}

Term integer_term(Heap& heap, Wide value) {
  NumberResult result = integer_from(heap, value);
  return result.has_value() ? result.value() : Term::absent();
}

}  // namespace

std::size_t field_words(std::size_t bits) {
  return bits / 64 + 4;
}

Term read_field(Heap& heap, const std::uint8_t* bytes, std::size_t at, std::size_t bits,
                FieldType type) {
  if (bits == 0) return Term::integer(0);
  if (bits > 64) return read_large(heap, bytes, at, bits, type);
  std::uint64_t raw = limb_of(bytes, at, bits, type.little, 0);
  if (type.is_float) {
    if (bits == 64) return make_float(heap, std::bit_cast<double>(raw));
    return make_float(heap, std::bit_cast<float>(static_cast<std::uint32_t>(raw)));
  }
  if (!type.is_signed) return integer_term(heap, raw);
  return integer_term(heap, static_cast<std::int64_t>(raw << (64 - bits)) >> (64 - bits));
}

bool write_field(Heap& heap, std::uint8_t* bytes, std::size_t at, std::size_t bits, FieldType type,
                 Term number) {
  if (type.is_float) {
    auto value = to_double(heap, number);
    if (!value.has_value()) return false;
    std::uint64_t raw = bits == 64 ? std::bit_cast<std::uint64_t>(*value)
                                   : std::bit_cast<std::uint32_t>(static_cast<float>(*value));
    put_limb(bytes, at, bits, type.little, 0, raw);
    return true;
  }
  if (is_fixed(number_type(number))) {
    put_wide(bytes, at, bits, type.little, fixed_value(number));
    return true;
  }
  if (!is_exact_integer(number)) return false;
  if (number.is_integer()) {
    put_wide(bytes, at, bits, type.little, number.as_integer());
    return true;
  }
  IntegerView view(number);
  bool carry = view.negative();
  for (std::size_t limb = 0; 64 * limb < bits; limb++) {
    std::uint64_t value = view.limb(limb);
    if (view.negative()) {
      value = ~value + carry;
      carry = carry && value == 0;
    }
    put_limb(bytes, at, bits, type.little, limb, value);
  }
  return true;
}

void copy_bits(std::uint8_t* to, std::size_t at, const std::uint8_t* from, std::size_t bits) {
  if (at % 8 == 0) {
    std::size_t whole = bits / 8;
    if (whole != 0) std::memcpy(to + at / 8, from, whole);
    if (bits % 8 != 0) put_bits(to, at + 8 * whole, from[whole] >> (8 - bits % 8), bits % 8);
    return;
  }
  for (std::size_t done = 0; done < bits; done += 8) {
    std::size_t n = bits - done < 8 ? bits - done : 8;
    put_bits(to, at + done, std::uint64_t{from[done / 8]} >> (8 - n), n);
  }
}

}  // namespace lona::vm
