// SPDX-License-Identifier: BSD-2-Clause
// Hash values of terms: equal terms (term/equal.hpp) have equal hashes, in every process and after
// every collection, so nothing here depends on an address that may move. Nested values are looked
// into down to kHashDepth levels only, which bounds the native stack; deeper parts count as one.
#pragma once

#include <string_view>

#include "vm/term/term.hpp"

namespace lona::vm {

inline constexpr unsigned kHashDepth = 8;

constexpr std::uint64_t hash_mix(std::uint64_t x) {
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93;
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93;
  return x ^ (x >> 32);
}

std::uint64_t hash_bytes(std::string_view bytes);
std::uint64_t hash_term_slow(Term t, unsigned depth);

inline std::uint64_t hash_term(Term t, unsigned depth = kHashDepth) {
  // Immediates are their bits, the same in every realm.
  switch (t.tag()) {
    case Tag::kInteger:
    case Tag::kSpecial:
    case Tag::kPid:
    case Tag::kSymbol:
    case Tag::kKeyword:
      return hash_mix(t.bits() + 0x9e3779b97f4a7c15);
    default:
      return hash_term_slow(t, depth);
  }
}

}  // namespace lona::vm
