// SPDX-License-Identifier: BSD-2-Clause
// Interned names. A SymbolEntry is permanent: it never moves and is never freed, so symbols and
// keywords are compared by address. One entry serves both the symbol and the keyword of a name.
#pragma once

#include <string_view>

#include "vm/term/term.hpp"

namespace lona::vm {

struct SymbolEntry {
  SymbolEntry* next;          // hash chain
  std::uint64_t hash;         // of the full name
  std::uint32_t length;       // bytes of the full name, "ns/name" or "name"
  std::uint32_t name_offset;  // where the name part starts; 0 when there is no namespace part
  char text[];                // UTF-8, NUL-terminated for debuggers

  std::string_view full() const { return {text, length}; }
  std::string_view name() const { return full().substr(name_offset); }
  std::string_view ns() const {
    return name_offset == 0 ? std::string_view{} : full().substr(0, name_offset - 1);
  }
};

// Names that are in memory already, in chains of their own: those of the core image.
struct SymbolChains {
  SymbolEntry* const* heads = nullptr;
  std::uint64_t count = 0;  // a power of two
};
// To be called before any name is interned; false when that is too late.
bool adopt_symbols(const SymbolChains& chains);

inline constexpr std::size_t kMaxNameBytes = 65535;

// As intern below, but null when the name is longer than kMaxNameBytes or names have used up their
// share of the memory: for names that come from source text or a running program.
SymbolEntry* try_intern(std::string_view full);

// The entry of a name that has been interned, or null.
SymbolEntry* find_name(std::string_view full);

// The entry for a full name such as "foo" or "my.ns/foo"; made when new. "/" alone is a name.
SymbolEntry* intern(std::string_view full);

inline Term make_symbol(std::string_view full) {
  return Term::symbol(intern(full));
}
inline Term make_keyword(std::string_view full) {
  return Term::keyword(intern(full));
}

}  // namespace lona::vm
