// SPDX-License-Identifier: BSD-2-Clause
// Tables of the instruction Select: where to go for which constant.
//
//   Tuple: constant, distance, constant, distance…
//
// A power of two of such entries, hashed with linear probing; a distance of 0 marks a free one, of
// which at least half are. Constants are immediates and strings of at most kMostBytes.
#pragma once

#include "vm/data/string.hpp"
#include "vm/term/equal.hpp"
#include "vm/term/hash.hpp"

namespace lona::vm::select {

inline constexpr std::size_t kMostBytes = 64;

inline std::uint64_t hash(Term t) {
  return t.is_boxed() ? hash_term(t) : t.bits() * 0x9e3779b97f4a7c15 >> 32;
}

inline bool may_be_key(Term t) {
  if (t.is_boxed()) return is_string(t) && string_bytes(t) <= kMostBytes;
  return !t.is_pair();
}

// The distance, or 0.
[[gnu::always_inline]] inline std::ptrdiff_t find(const Word* table, Term t) {
  const std::size_t mask = Header::from_bits(table[0]).words() / 2 - 1;
  const bool string = t.is_boxed();
  if ((string || t.is_pair()) && !may_be_key(t)) [[unlikely]]
    return 0;
  for (std::size_t i = hash(t) & mask;; i = (i + 1) & mask) {
    const Term key = Term::from_bits(table[1 + 2 * i]);
    const Term distance = Term::from_bits(table[2 + 2 * i]);
    if (key == t || distance.as_integer() == 0 || (string && equal(key, t))) {
      return distance.as_integer();
    }
  }
}

}  // namespace lona::vm::select
