// SPDX-License-Identifier: BSD-2-Clause
// What Unicode knows about characters: classes and case, by utf8proc's tables.
#pragma once

#include <cstdint>
#include <string_view>

namespace lona::vm::unicode {

// Two letters, such as "Lu" for an upper-case letter (Unicode 15, table 4-4).
std::string_view category(std::uint32_t cp);
inline bool is_letter(std::uint32_t cp) {
  return category(cp)[0] == 'L';
}
// A letter that has case.
bool is_cased(std::uint32_t cp);

// The characters that one character becomes: as many as three in some scripts.
struct Mapped {
  static constexpr unsigned kMost = 4;
  std::uint32_t cp[kMost];
  unsigned count;
};
Mapped to_lower(std::uint32_t cp);
Mapped to_upper(std::uint32_t cp);
Mapped to_title(std::uint32_t cp);
// What is the same in strings that differ in case only.
Mapped fold_case(std::uint32_t cp);

}  // namespace lona::vm::unicode
