// SPDX-License-Identifier: BSD-2-Clause
// UTF-8: checking, decoding, encoding. Strings, symbols and source text inside the VM are always
// valid UTF-8; bytes from outside pass `valid_prefix` or `repaired_size`/`repair` first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lona::vm::utf8 {

inline constexpr std::uint32_t kMaxCodePoint = 0x10ffff;
inline constexpr std::uint32_t kReplacement = 0xfffd;

constexpr bool is_scalar(std::uint32_t cp) {
  return cp <= kMaxCodePoint && (cp < 0xd800 || cp > 0xdfff);
}
constexpr bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

struct Decoded {
  std::uint32_t code_point;
  std::uint32_t bytes;
};

// The code point at the start of valid, non-empty text.
constexpr Decoded decode(std::string_view text) {
  auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  std::uint32_t b = at(0);
  if (b < 0x80) return {b, 1};
  if (b < 0xe0) return {(b & 0x1f) << 6 | (at(1) & 0x3fu), 2};
  if (b < 0xf0) return {(b & 0x0f) << 12 | (at(1) & 0x3fu) << 6 | (at(2) & 0x3fu), 3};
  return {(b & 7) << 18 | (at(1) & 0x3fu) << 12 | (at(2) & 0x3fu) << 6 | (at(3) & 0x3fu), 4};
}

constexpr std::size_t encoded_size(std::uint32_t cp) {
  return cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
}

// Writes one code point; returns how many bytes (at most 4).
constexpr std::size_t encode(std::uint32_t cp, char* out) {
  auto tail = [&](std::uint32_t v) { return static_cast<char>(0x80 | (v & 0x3f)); };
  if (cp < 0x80) {
    out[0] = static_cast<char>(cp);
    return 1;
  }
  if (cp < 0x800) {
    out[0] = static_cast<char>(0xc0 | cp >> 6);
    out[1] = tail(cp);
    return 2;
  }
  if (cp < 0x10000) {
    out[0] = static_cast<char>(0xe0 | cp >> 12);
    out[1] = tail(cp >> 6);
    out[2] = tail(cp);
    return 3;
  }
  out[0] = static_cast<char>(0xf0 | cp >> 18);
  out[1] = tail(cp >> 12);
  out[2] = tail(cp >> 6);
  out[3] = tail(cp);
  return 4;
}

// Code points in valid text: all bytes that are no continuation bytes.
std::size_t count(std::string_view text);

// Length in bytes of the longest valid prefix (Unicode 15, table 3-7: no overlong forms, no
// surrogates, nothing above U+10FFFF).
std::size_t valid_prefix(std::string_view bytes);

// Bytes of any origin as valid text: each maximal ill-formed part becomes one U+FFFD.
std::size_t repaired_size(std::string_view bytes);
void repair(std::string_view bytes, char* out);

// The byte offset of code point `index`; text.size() when there are not so many.
std::size_t offset_of(std::string_view text, std::size_t index);

// A code point by number, and its offset. Both may be the end.
struct Place {
  std::size_t index = 0, offset = 0;
};
// Likewise, walking from another place of the same text, in either direction. index <= count(text)
std::size_t offset_from(std::string_view text, Place from, std::size_t index);

// Spaces and line ends of ASCII and Unicode.
constexpr bool is_space(std::uint32_t cp) {
  return cp == ' ' || (cp >= 9 && cp <= 13) || cp == 0x85 || cp == 0xa0 || cp == 0x1680 ||
         (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 || cp == 0x2029 || cp == 0x202f ||
         cp == 0x205f || cp == 0x3000;
}

}  // namespace lona::vm::utf8
