// SPDX-License-Identifier: BSD-2-Clause
#include "vm/data/utf8.hpp"

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

}  // namespace

std::size_t count(std::string_view text) {
  std::size_t n = 0;
  for (char c : text) n += !is_continuation(c);
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
  std::size_t i = 0;
  while (i < text.size()) {
    if (index >= 8 && i + 8 <= text.size() && eight_ascii(text.data() + i)) {
      i += 8;
      index -= 8;
      continue;
    }
    if (index == 0) break;
    i += decode(text.substr(i)).bytes;
    index--;
  }
  return i;
}

std::uint32_t to_lower(std::uint32_t cp) {
  if (cp < 0x80) return cp >= 'A' && cp <= 'Z' ? cp + 32 : cp;
  if (cp >= 0xc0 && cp <= 0xde) return cp == 0xd7 ? cp : cp + 32;
  if (cp == 0x178) return 0xff;
  // Latin Extended-A: neighbours, upper first; which parity depends on the stretch.
  if ((cp >= 0x100 && cp <= 0x12f) || (cp >= 0x132 && cp <= 0x137) || (cp >= 0x14a && cp <= 0x177))
    return cp | 1;
  if ((cp >= 0x139 && cp <= 0x148) || (cp >= 0x179 && cp <= 0x17e)) return cp + (cp & 1);
  if (cp >= 0x391 && cp <= 0x3a9 && cp != 0x3a2) return cp + 32;
  if (cp >= 0x410 && cp <= 0x42f) return cp + 32;
  if (cp >= 0x400 && cp <= 0x40f) return cp + 80;
  if (cp >= 0x460 && cp <= 0x481) return cp | 1;
  return cp;
}

std::uint32_t to_upper(std::uint32_t cp) {
  if (cp < 0x80) return cp >= 'a' && cp <= 'z' ? cp - 32 : cp;
  if (cp >= 0xe0 && cp <= 0xfe) return cp == 0xf7 ? cp : cp - 32;
  if (cp == 0xff) return 0x178;
  if ((cp >= 0x100 && cp <= 0x12f) || (cp >= 0x132 && cp <= 0x137) || (cp >= 0x14a && cp <= 0x177))
    return cp & ~1u;
  if ((cp >= 0x139 && cp <= 0x148) || (cp >= 0x179 && cp <= 0x17e)) return cp - !(cp & 1);
  if (cp >= 0x3b1 && cp <= 0x3c9 && cp != 0x3c2) return cp - 32;
  if (cp >= 0x430 && cp <= 0x44f) return cp - 32;
  if (cp >= 0x450 && cp <= 0x45f) return cp - 80;
  if (cp >= 0x460 && cp <= 0x481) return cp & ~1u;
  return cp;
}

bool is_letter(std::uint32_t cp) {
  if (cp < 0x80) return (cp | 32) >= 'a' && (cp | 32) <= 'z';
  if (cp < 0x250)
    return cp >= 0xc0 ? cp != 0xd7 && cp != 0xf7 : cp == 0xaa || cp == 0xb5 || cp == 0xba;
  return (cp >= 0x370 && cp <= 0x3ff && cp != 0x37e && cp != 0x387) ||
         (cp >= 0x400 && cp <= 0x481) || (cp >= 0x48a && cp <= 0x52f);
}

}  // namespace lona::vm::utf8
