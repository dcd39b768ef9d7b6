// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "base/bits.hpp"

// Entries of the four levels of page tables (Intel SDM volume 3, 4.5).

namespace lona::kernel {

using PageEntry = std::uint64_t;

namespace page_entry {

using Present = base::Flag<PageEntry, 0>;
using Writable = base::Flag<PageEntry, 1>;
using User = base::Flag<PageEntry, 2>;
using WriteThrough = base::Flag<PageEntry, 3>;
using CacheDisabled = base::Flag<PageEntry, 4>;
using Large = base::Flag<PageEntry, 7>;     // in a directory: a page, not a table
using SmallPat = base::Flag<PageEntry, 7>;  // in a page table
using Global = base::Flag<PageEntry, 8>;
using LargePat = base::Flag<PageEntry, 12>;
using NoExecute = base::Flag<PageEntry, 63>;

inline constexpr PageEntry kAddressMask = 0x000f'ffff'ffff'f000;
inline constexpr PageEntry kLargeAddressMask = 0x000f'ffff'ffff'e000;  // bit 12 is an attribute

constexpr std::uint64_t table_address(PageEntry entry) {
  return entry & kAddressMask;
}
constexpr std::uint64_t large_address(PageEntry entry) {
  return entry & kLargeAddressMask;
}

}  // namespace page_entry

// Levels as the number of address bits that a table's entry covers.
enum class PageLevel : unsigned { kPageTable = 12, kDirectory = 21, kPdpt = 30, kPml4 = 39 };

inline constexpr unsigned kEntriesPerTable = 512;

constexpr unsigned table_index(std::uint64_t address, PageLevel level) {
  return static_cast<unsigned>(address >> static_cast<unsigned>(level)) % kEntriesPerTable;
}

static_assert(table_index(0xffff'ff00'0000'0000, PageLevel::kPml4) == 510);
static_assert(table_index(0xffff'ffff'8000'0000, PageLevel::kPml4) == 511);
static_assert(table_index(0xffff'ffff'8000'0000, PageLevel::kPdpt) == 510);

}  // namespace lona::kernel
