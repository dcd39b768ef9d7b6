// SPDX-License-Identifier: BSD-2-Clause
#include "vm/data/utf8.hpp"

#include <bit>
#include <cstring>

namespace lona::vm::utf8 {

namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080;

bool eight_ascii(const char* p) {
  std::uint64_t w;
  std::memcpy(&w, p, 8);
  return (w & kHighBits) == 0;
}

struct Step {
  std::uint32_t bytes;  // how far to go on
  bool valid;
};

// The well-formed sequence at the start of `s`, or the maximal ill-formed part of one.
Step step(std::string_view s) {
  auto at = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  unsigned b = at(0);
  if (b < 0x80) return {1, true};
  if (b < 0xc2 || b > 0xf4) return {1, false};
  std::uint32_t need = b < 0xe0 ? 1 : b < 0xf0 ? 2 : 3;
  // Only the first continuation byte has a range that depends on the lead byte.
  unsigned low = b == 0xe0 ? 0xa0 : b == 0xf0 ? 0x90 : 0x80;
  unsigned high = b == 0xed ? 0x9f : b == 0xf4 ? 0x8f : 0xbf;
  for (std::uint32_t i = 1; i <= need; i++) {
    if (i >= s.size() || at(i) < low || at(i) > high) return {i, false};
    low = 0x80;
    high = 0xbf;
  }
  return {need + 1, true};
}

// How many of eight bytes begin a code point: all but 10xxxxxx.
std::size_t beginnings(const char* p) {
  std::uint64_t w;
  std::memcpy(&w, p, 8);
  std::uint64_t continuations = (w & kHighBits) >> 1 & ~w;
  return 8 - static_cast<std::size_t>(std::popcount(continuations));
}

// From the beginning of a code point at `i` over `more` of them.
std::size_t forwards(std::string_view text, std::size_t i, std::size_t more) {
  for (; i + 8 <= text.size(); i += 8) {
    std::size_t passed = beginnings(text.data() + i);
    if (passed > more) break;
    more -= passed;
  }
  for (; i < text.size(); i++) {
    if (is_continuation(text[i])) continue;
    if (more-- == 0) break;
  }
  return i;
}

// Back over `more` code points; there are as many in front.
std::size_t backwards(std::string_view text, std::size_t i, std::size_t more) {
  for (; i >= 8; i -= 8) {
    std::size_t passed = beginnings(text.data() + i - 8);
    if (passed >= more) break;
    more -= passed;
  }
  while (more != 0) more -= !is_continuation(text[--i]);
  return i;
}

}  // namespace

std::size_t count(std::string_view text) {
  std::size_t n = 0, i = 0;
  for (; i + 8 <= text.size(); i += 8) n += beginnings(text.data() + i);
  for (; i < text.size(); i++) n += !is_continuation(text[i]);
  return n;
}

std::size_t valid_prefix(std::string_view bytes) {
  std::size_t i = 0;
  while (i < bytes.size()) {
    if (i + 8 <= bytes.size() && eight_ascii(bytes.data() + i)) {
      i += 8;
      continue;
    }
    Step s = step(bytes.substr(i));
    if (!s.valid) break;
    i += s.bytes;
  }
  return i;
}

std::size_t repaired_size(std::string_view bytes) {
  std::size_t size = 0;
  while (!bytes.empty()) {
    std::size_t good = valid_prefix(bytes);
    size += good;
    bytes.remove_prefix(good);
    if (bytes.empty()) break;
    size += encoded_size(kReplacement);
    bytes.remove_prefix(step(bytes).bytes);
  }
  return size;
}

void repair(std::string_view bytes, char* out) {
  while (!bytes.empty()) {
    std::size_t good = valid_prefix(bytes);
    std::memcpy(out, bytes.data(), good);
    out += good;
    bytes.remove_prefix(good);
    if (bytes.empty()) break;
    out += encode(kReplacement, out);
    bytes.remove_prefix(step(bytes).bytes);
  }
}

std::size_t offset_of(std::string_view text, std::size_t index) {
  return forwards(text, 0, index);
}

std::size_t offset_from(std::string_view text, Place from, std::size_t index) {
  return index < from.index ? backwards(text, from.offset, from.index - index)
                            : forwards(text, from.offset, index - from.index);
}

}  // namespace lona::vm::utf8
