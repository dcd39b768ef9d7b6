// SPDX-License-Identifier: BSD-2-Clause
// utf8proc maps one character to one; the characters that become several are found by its case
// folding, whose several characters in upper case are those of Unicode's SpecialCasing.txt.
#include "vm/data/unicode.hpp"

#include <utf8proc.h>

namespace lona::vm::unicode {

namespace {

Mapped single(std::uint32_t cp) {
  return {{cp}, 1};
}
std::uint32_t simple(utf8proc_int32_t (*map)(utf8proc_int32_t), std::uint32_t cp) {
  return static_cast<std::uint32_t>(map(static_cast<utf8proc_int32_t>(cp)));
}
bool is_ascii(std::uint32_t cp) {
  return cp < 0x80;
}

}  // namespace

std::string_view category(std::uint32_t cp) {
  return utf8proc_category_string(static_cast<utf8proc_int32_t>(cp));
}

bool is_cased(std::uint32_t cp) {
  std::string_view c = category(cp);
  return c == "Lu" || c == "Ll" || c == "Lt" || simple(utf8proc_tolower, cp) != cp ||
         simple(utf8proc_toupper, cp) != cp;
}

Mapped fold_case(std::uint32_t cp) {
  if (is_ascii(cp)) return single(cp >= 'A' && cp <= 'Z' ? cp + 32 : cp);
  utf8proc_int32_t folded[Mapped::kMost];
  int boundary = 0;
  utf8proc_ssize_t n =
      utf8proc_decompose_char(static_cast<utf8proc_int32_t>(cp), folded, Mapped::kMost,
                              static_cast<utf8proc_option_t>(UTF8PROC_CASEFOLD), &boundary);
  if (n < 1 || n > static_cast<utf8proc_ssize_t>(Mapped::kMost)) return single(cp);
  Mapped m{{}, static_cast<unsigned>(n)};
  for (unsigned i = 0; i < m.count; i++) m.cp[i] = static_cast<std::uint32_t>(folded[i]);
  return m;
}

Mapped to_lower(std::uint32_t cp) {
  if (is_ascii(cp)) return single(cp >= 'A' && cp <= 'Z' ? cp + 32 : cp);
  if (cp == 0x130) return {{'i', 0x307}, 2};  // I with a dot above keeps its dot
  return single(simple(utf8proc_tolower, cp));
}

Mapped to_upper(std::uint32_t cp) {
  if (is_ascii(cp)) return single(cp >= 'a' && cp <= 'z' ? cp - 32 : cp);
  if (category(cp) == "Lu") return single(cp);
  Mapped m = fold_case(cp);
  if (m.count == 1) return single(simple(utf8proc_toupper, cp));
  for (unsigned i = 0; i < m.count; i++) m.cp[i] = simple(utf8proc_toupper, m.cp[i]);
  return m;
}

Mapped to_title(std::uint32_t cp) {
  constexpr std::uint32_t kSharpS =
      0xdf;  // whose one upper-case character nobody begins a word with
  std::uint32_t one = cp == kSharpS ? cp : simple(utf8proc_totitle, cp);
  Mapped m = is_ascii(cp) || one != cp || category(cp) != "Ll" ? single(one) : fold_case(cp);
  if (m.count == 1) return single(one);
  // The first letter with case; an iota that stands below its vowel stays there.
  unsigned at = is_cased(m.cp[0]) ? 0 : 1;
  m.cp[at] = simple(utf8proc_totitle, m.cp[at]);
  std::uint32_t& last = m.cp[m.count - 1];
  if (last == 0x3b9) last = 0x345;
  return m;
}

}  // namespace lona::vm::unicode
