// SPDX-License-Identifier: BSD-2-Clause
// Floats inside of instructions: what arithmetic and comparison do when their operands are no small
// integers, before they ask a native. A float next to a small integer is quick too.
#pragma once

#include <bit>

#include "vm/number/number.hpp"

namespace lona::vm {

inline constexpr Word kFloatHeader = Header::make(Kind::kFloat, 1).bits();
inline constexpr std::ptrdiff_t kFloatWords = 2;
// When less room than this is left, the next call collects: what is calculated until then fits.
inline constexpr std::ptrdiff_t kFewFloats = 12 * kFloatWords;

inline bool is_float_word(Word w) {
  Term t = Term::from_bits(w);
  return t.is_boxed() && t.box()[0] == kFloatHeader;
}

// A box's words, by an address that needs no masking.
inline const Word* words_of_box(Word w) {
  return reinterpret_cast<const Word*>(w - static_cast<Word>(Tag::kBoxed));
}
inline bool both_floats(Word a, Word b) {
  constexpr Word kBox = static_cast<Word>(Tag::kBoxed);
  if ((((a ^ kBox) | (b ^ kBox)) & Term::kTagMask) != 0) return false;
  return words_of_box(a)[0] == kFloatHeader && words_of_box(b)[0] == kFloatHeader;
}
inline double float_of_word(Word w) {
  return std::bit_cast<double>(words_of_box(w)[1]);
}

// The operands as floats, when one is an f64 and the other one too or a small integer.
struct FloatPair {
  double a, b;
  bool good;
};
inline FloatPair float_pair(Word a, Word b) {
  Term x = Term::from_bits(a), y = Term::from_bits(b);
  if (is_float_word(a)) [[likely]] {
    if (is_float_word(b)) [[likely]]
      return {float_value(x), float_value(y), true};
    if (y.is_integer()) return {float_value(x), static_cast<double>(y.as_integer()), true};
  } else if (x.is_integer() && is_float_word(b)) {
    return {static_cast<double>(x.as_integer()), float_value(y), true};
  }
  return {0, 0, false};
}

// Likewise for comparisons, which are exact: an integer that a float might not hold is left out.
inline FloatPair ordered_pair(Word a, Word b) {
  constexpr std::int64_t kExact = std::int64_t{1} << 53;
  FloatPair pair = float_pair(a, b);
  Term x = Term::from_bits(a), y = Term::from_bits(b);
  auto exact = [](Term t) {
    return !t.is_integer() || (t.as_integer() <= kExact && t.as_integer() >= -kExact);
  };
  pair.good = pair.good && exact(x) && exact(y);
  return pair;
}

inline Word write_float(Word* cell, double value) {
  cell[0] = kFloatHeader;
  cell[1] = std::bit_cast<Word>(value);
  return Term::boxed(cell).bits();
}

}  // namespace lona::vm
