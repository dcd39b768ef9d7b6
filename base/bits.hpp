// SPDX-License-Identifier: BSD-2-Clause
// Bit fields of a word: capabilities, page entries, message words, tagged terms, device registers.
//
//   using Guard = Bits<std::uint64_t, 6, 58>;       // bits 6..63
//   word = Guard::set(word, 5); Guard::get(word);
//
// A layout is a list of such aliases; `fields_disjoint` and a golden word pin it in static_asserts.
#pragma once

#include <cassert>
#include <concepts>
#include <type_traits>

namespace lona::base {

// A mask of the `count` lowest bits. `count` may be the whole width of the word.
template <std::unsigned_integral Word>
constexpr Word low_mask(unsigned count) {
  constexpr unsigned kWidth = sizeof(Word) * 8;
  return count >= kWidth ? static_cast<Word>(~Word{0})
                         : static_cast<Word>((Word{1} << count) - Word{1});
}

template <std::unsigned_integral Word, unsigned kLow, unsigned kWidth, typename Value = Word>
  requires(kWidth > 0 && kLow + kWidth <= sizeof(Word) * 8)
struct Bits {
  static constexpr unsigned kFirst = kLow;
  static constexpr unsigned kCount = kWidth;
  static constexpr Word kMax = low_mask<Word>(kWidth);
  static constexpr Word kMask = static_cast<Word>(kMax << kLow);

  [[nodiscard]] static constexpr Value get(Word word) {
    return static_cast<Value>(static_cast<Word>((word >> kLow) & kMax));
  }

  [[nodiscard]] static constexpr bool fits(Value value) {
    return (static_cast<Word>(value) & static_cast<Word>(~kMax)) == 0;
  }

  // A value that does not fit is our own bug; it is cut off rather than spill into a neighbour.
  [[nodiscard]] static constexpr Word make(Value value) {
    assert(fits(value));
    return static_cast<Word>((static_cast<Word>(value) & kMax) << kLow);
  }

  [[nodiscard]] static constexpr Word set(Word word, Value value) {
    return static_cast<Word>((word & static_cast<Word>(~kMask)) | make(value));
  }
};

template <std::unsigned_integral Word, unsigned kAt>
using Flag = Bits<Word, kAt, 1, bool>;

// True when no two of the fields share a bit.
template <typename... Fields>
consteval bool fields_disjoint() {
  auto total = (0U + ... + Fields::kCount);
  unsigned seen = 0;
  const auto joined = (Fields::kMask | ...);
  for (unsigned bit = 0; bit < sizeof(joined) * 8; ++bit) {
    seen += static_cast<unsigned>((joined >> bit) & 1U);
  }
  return seen == total;
}

}  // namespace lona::base
