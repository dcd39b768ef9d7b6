// SPDX-License-Identifier: BSD-2-Clause
// Interned names. Symbols and keywords hold the name's number (name_id.hpp) and are compared by it;
// the entry, where the text stands, is looked up by the number: in this realm's names, those of the
// core image and those of the realms above. An entry never moves and is never freed. One entry
// serves both the symbol and the keyword of a name.
#pragma once

#include <string_view>

#include "vm/term/term.hpp"

namespace lona::vm {

struct SymbolEntry {
  Word id;                    // of the full name
  std::uint32_t length;       // bytes of the full name, "ns/name" or "name"
  std::uint32_t name_offset;  // where the name part starts; 0 when there is no namespace part
  char text[];                // UTF-8, NUL-terminated for debuggers

  std::string_view full() const { return {text, length}; }
  std::string_view name() const { return full().substr(name_offset); }
  std::string_view ns() const {
    return name_offset == 0 ? std::string_view{} : full().substr(0, name_offset - 1);
  }
};

// Two realms on the way to this one may have interned a name at the same time: then there are two
// entries of it, and it matters who is asked first.
inline bool same_name(const SymbolEntry* a, const SymbolEntry* b) {
  return a == b || (a != nullptr && b != nullptr && a->id == b->id);
}

// Entries by their numbers, open addressing. Others may read it, without a lock, while its owner
// adds to it: an entry is written before its place points to it, and a table that has got too
// small is replaced, not changed.
struct NameIndex {
  std::uint64_t count;  // of places, a power of two; at least one is free
  SymbolEntry* places[];

  static std::uint64_t start(Word id, std::uint64_t count) { return (id >> 3) & (count - 1); }
  SymbolEntry* find(Word id) const;
  // False when there is one of this number already.
  bool put(SymbolEntry* entry);
};

// Names that are in memory already: those of the core image.
// To be called before any name is interned; false when that is too late.
bool adopt_names(const NameIndex& index);

inline constexpr std::size_t kMaxNameBytes = 65535;

// As intern below, but null when the name is longer than kMaxNameBytes, when names have used up
// their share of the memory, or when another name has its number (number_is_taken): for names that
// come from source text or a running program.
SymbolEntry* try_intern(std::string_view full);
bool number_is_taken(std::string_view full);

// The entry of a name that has been interned, or null.
SymbolEntry* find_name(std::string_view full);

// The entry of a number that a term holds.
SymbolEntry* name_of(Word id);

// The entry for a full name such as "foo" or "my.ns/foo"; made when new. "/" alone is a name.
SymbolEntry* intern(std::string_view full);

inline Term Term::symbol(const SymbolEntry* e) {
  return Term(e->id | static_cast<Word>(Tag::kSymbol));
}
inline Term Term::keyword(const SymbolEntry* e) {
  return Term(e->id | static_cast<Word>(Tag::kKeyword));
}
inline SymbolEntry* Term::entry() const {
  return name_of(name_number());
}

inline Term make_symbol(std::string_view full) {
  return Term::symbol(intern(full));
}
inline Term make_keyword(std::string_view full) {
  return Term::keyword(intern(full));
}

}  // namespace lona::vm
