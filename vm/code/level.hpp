// SPDX-License-Identifier: BSD-2-Clause
// What realms below this one see of it: everything in the pages of its level (abi/lona/
// address_map.hpp), found from the level's header. Code, values of vars, vars, namespaces and names
// are there; nothing there points to anything else of this realm, but to levels above and to the
// core image. Only the level's own realm writes, and it publishes what is complete with a release
// store, because readers take no lock. The data of the core image are written by the first realm
// only, so to all others they are inherited as well.
#pragma once

#include <atomic>
#include <span>

#include "abi/lona/address_map.hpp"
#include "vm/platform/platform.hpp"
#include "vm/term/symbol.hpp"

namespace lona::vm {

class NameTable;

struct LevelHeader {
  std::uint32_t realm;  // whose level it is
  std::atomic<NameIndex*> names;
  std::atomic<const NameTable*> namespaces;
};

// This realm's; the first call makes it.
LevelHeader& own_level();
// Those of the realms above, the nearest first.
std::span<const LevelHeader* const> levels_above();

// Zeroed pages of the own level, or null.
void* map_shared_pages(std::size_t bytes);

// Where the levels above may be; empty without any.
struct InheritedRange {
  std::uintptr_t start, size;
};
extern InheritedRange inherited_range;  // changed by own_level and by tests
inline bool is_in_level_above(const void* address) {
  return reinterpret_cast<std::uintptr_t>(address) - inherited_range.start < inherited_range.size;
}
// In a level above, or in the core image's data, which this realm may not write either.
inline bool is_inherited(const void* address) {
  return is_in_level_above(address) ||
         (abi::kCoreData.contains(reinterpret_cast<std::uintptr_t>(address)) &&
          inherited_range.size != 0);
}
// The realm that owns what is inherited.
std::uint32_t owner_of(const void* inherited);

}  // namespace lona::vm
