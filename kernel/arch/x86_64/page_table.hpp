// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <expected>

#include "abi/sel4/types.hpp"
#include "kernel/arch/x86_64/page_entry.hpp"
#include "kernel/object/window.hpp"

// The user half of page tables: walking them and making entries. No invalidation happens here, so
// the functions also run on the host.

namespace lona::kernel {

using PageTable = std::array<PageEntry, kEntriesPerTable>;

// A table on the way is missing at this level: the address bits below it were not translated.
struct MissingTable {
  PageLevel level;
};

// The entry of `address` at `level`, in the tables below `root`.
std::expected<PageEntry*, MissingTable> find_entry(PageTable& root, Word address, PageLevel level);

inline bool entry_present(PageEntry entry) {
  return page_entry::Present::get(entry);
}
// Points to a page rather than to a table, at a level where both are possible.
inline bool entry_is_page(PageEntry entry, PageLevel level) {
  return level == PageLevel::kPageTable || page_entry::Large::get(entry);
}

// What `rights` allow: an unreadable page is mapped, but beyond user mode's reach.
PageEntry make_page_entry(PhysAddr address, PageLevel level, abi::CapRights rights,
                          Word attributes);
PageEntry make_table_entry(PhysAddr table);

}  // namespace lona::kernel
