// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "kernel/arch/x86_64/page_table.hpp"
#include "kernel/object/cap.hpp"

// Address spaces by their number (ASID). A capability to something mapped remembers the number,
// not the tables, so a deleted address space leaves no dangling pointers: its number just names
// nothing, or tables in which the mapping is not found.

namespace lona::kernel {

// 512 numbers; an entry is a PML4, null when free. Number 0 is never given away.
struct AsidPool {
  std::array<PageTable*, 512> roots;
};
static_assert(sizeof(AsidPool) == 4096);

inline constexpr unsigned kAsidPools = 8;
inline constexpr unsigned kAsidsPerPool = 512;

// First number of a pool that is not in use, or none.
struct FreeAsids {
  bool found;
  unsigned base;
};
FreeAsids find_free_asids();
void asid_add_pool(unsigned base, AsidPool& pool);
void asid_remove_pool(unsigned base, AsidPool& pool);
AsidPool* asid_pool_at(unsigned base);

PageTable* vspace_of(unsigned asid);
void asid_assign(unsigned asid, PageTable& root);
void asid_release(unsigned asid, PageTable& root);

// Ends the mapping that a page's capability remembers, into an address space or an I/O space.
void forget_mapping(const Cap& page);

// Undo mappings that capabilities remember; nothing happens if the tables say otherwise.
void unmap_page(unsigned asid, Word address, PageLevel level, PhysAddr frame);
void unmap_table(unsigned asid, Word address, PageLevel parent_level, PhysAddr table);

// After a change of an entry: the processor may hold the old one.
void forget_page(const PageTable& root, Word address);
void forget_tables(const PageTable& root);

// The level whose entries map a page of this size.
constexpr PageLevel level_of(PageSize size) {
  return static_cast<PageLevel>(page_size_bits(size));
}

// Makes the address space active; null: the kernel's own.
void activate(const PageTable* root);

}  // namespace lona::kernel
