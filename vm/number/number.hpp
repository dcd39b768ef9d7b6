// SPDX-License-Identifier: BSD-2-Clause
// What kinds of numbers are there, and how does each look as a term?
//
//   integer     a small integer in the term, or a Bignum whose value does not fit there
//   ratio       two integers, in lowest terms; never an integer
//   f64, f32    boxed
//   u8 … i64    fixed-width integers: a special each, or a box of one word for 64 bits
//
// Every value has exactly one representation, so integers, ratios and fixed-width integers are
// equal when their words are.
#pragma once

#include <bit>

#include "base/expected.hpp"
#include "vm/heap/heap.hpp"

namespace lona::vm {

enum class NumberType : std::uint8_t {
  kNone,  // no number
  kInteger,
  kRatio,
  kFloat,
  kFloat32,
  kU8,
  kU16,
  kU32,
  kU64,
  kI8,
  kI16,
  kI32,
  kI64,
};

enum class NumberFault : std::uint8_t {
  kNoMemory,
  kNotNumber,  // an argument is no number, or none of the kind that is needed
  kDivisionByZero,
  kOutOfRange,  // a count of bits or the like that makes no sense
};
using NumberResult = base::Expected<Term, NumberFault>;
using Wide = __int128;  // holds every fixed-width integer

NumberType number_type_of_box(Term boxed);
NumberType number_type_of_special(Term special);

inline NumberType number_type(Term t) {
  if (t.is_integer()) return NumberType::kInteger;
  if (t.is_boxed()) return number_type_of_box(t);
  return t.is_special() ? number_type_of_special(t) : NumberType::kNone;
}
inline bool is_number(Term t) {
  return number_type(t) != NumberType::kNone;
}
inline bool is_fixed(NumberType type) {
  return type >= NumberType::kU8;
}
inline bool is_exact_integer(Term t) {  // a small one or a Bignum
  return t.is_integer() || is_kind(t, Kind::kBignum);
}
// "integer", "ratio", "float", "f32", "u8", …
const char* number_type_name(NumberType type);

// --- Floats -------------------------------------------------------------------------------------

inline bool is_float(Term t) {
  return is_kind(t, Kind::kFloat);
}
inline double float_value(Term t) {
  return std::bit_cast<double>(payload(t)[0]);
}
inline Term make_float(Heap& heap, double value) {
  Word* p = heap.alloc_box(Kind::kFloat, 1);
  p[1] = std::bit_cast<Word>(value);
  return Term::boxed(p);
}
inline bool is_float32(Term t) {
  return is_kind(t, Kind::kFloat32);
}
inline float float32_value(Term t) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(payload(t)[0]));
}
inline Term make_float32(Heap& heap, float value) {
  Word* p = heap.alloc_box(Kind::kFloat32, 1);
  p[1] = std::bit_cast<std::uint32_t>(value);
  return Term::boxed(p);
}

// --- Fixed width --------------------------------------------------------------------------------

struct FixedWidth {
  unsigned bits;
  bool is_signed;

  constexpr Wide least() const { return is_signed ? -(Wide{1} << (bits - 1)) : 0; }
  constexpr Wide most() const { return (Wide{1} << (is_signed ? bits - 1 : bits)) - 1; }
  // The low bits of a value, as a value of this type.
  constexpr Wide wrap(Wide value) const {
    auto word = static_cast<std::uint64_t>(value) << (64 - bits);
    return is_signed ? Wide{static_cast<std::int64_t>(word) >> (64 - bits)}
                     : Wide{word >> (64 - bits)};
  }
};
constexpr FixedWidth width_of(NumberType fixed) {
  unsigned index = unsigned(fixed) - unsigned(NumberType::kU8);
  return {8u << (index & 3), index >= 4};
}
static_assert(width_of(NumberType::kU64).bits == 64 && !width_of(NumberType::kU64).is_signed);
static_assert(width_of(NumberType::kI8).wrap(128) == -128);

// a / b of two such values, and the remainder, which has the sign of a. b is not 0.
struct WideQuotient {
  Wide quotient, remainder;
};
constexpr WideQuotient divide_wide(Wide a, Wide b) {
  // Their magnitudes have 64 bits; for 128 the compiler would want a library.
  auto x = static_cast<std::uint64_t>(a < 0 ? -a : a);
  auto y = static_cast<std::uint64_t>(b < 0 ? -b : b);
  auto q = static_cast<Wide>(x / y), r = static_cast<Wide>(x % y);
  return {(a < 0) != (b < 0) ? -q : q, a < 0 ? -r : r};
}

Wide fixed_value(Term t);
// Of the low bits of `value`.
Term make_fixed(Heap& heap, NumberType fixed, Wide value);

}  // namespace lona::vm
