// SPDX-License-Identifier: BSD-2-Clause
// Translations are not tagged with the number of their address space: loading CR3 forgets all of
// user space. So only cores on which the address space is active ever need care.
#include "kernel/arch/x86_64/vspace.hpp"

#include "kernel/arch/x86_64/cores.hpp"
#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/arch/x86_64/vtd.hpp"
#include "kernel/arch/x86_64/window.hpp"

namespace lona::kernel {

namespace {

// Stands for every pool that is not in use, so that a number always leads to an entry.
constinit AsidPool no_pool{};
constinit std::array<AsidPool*, kAsidPools> pools = [] {
  std::array<AsidPool*, kAsidPools> none{};
  none.fill(&no_pool);
  return none;
}();

PhysAddr& active_root() {
  return this_core().arch.active_root;
}

// The core has gone idle since, and must load the root again before it trusts translations.
constexpr PhysAddr kStale = 1;

// What to do with the core's translations when something in its address space changed.
enum class Change { kPage, kTables, kSpace };

void tell(Core& core, PhysAddr root, Change change, Word address) {
  using Kind = CoreRequest::Kind;
  switch (change) {
    case Change::kPage:
      // An idle core does not use them.
      if (core.scheduler.current == nullptr) {
        core.arch.active_root = root | kStale;
        return;
      }
      return post(core, Kind::kForgetPage, address);
    case Change::kTables:
      return post(core, Kind::kForgetAll);
    case Change::kSpace:
      return post(core, Kind::kLeaveSpace);
  }
}

// All other cores that have the root active follow the change.
void tell_others(PhysAddr root, Change change, Word address = 0) {
  if (cores.count == 1) return;
  const Core& self = this_core();
  for (unsigned i = 0; i < cores.count; ++i) {
    Core& core = cores[i];
    if (&core != &self && (core.arch.active_root & ~kStale) == root) {
      tell(core, root, change, address);
    }
  }
  for (unsigned i = 0; i < cores.count; ++i) await(cores[i]);
}

bool is_active(const PageTable& root) {
  return (active_root() & ~kStale) == to_phys(&root);
}

void load(PhysAddr root) {
  active_root() = root;
  cpu::write_cr3(root);
}

// The address space goes away.
void leave(PhysAddr root) {
  if ((active_root() & ~kStale) == root) activate(nullptr);
  tell_others(root, Change::kSpace);
}

}  // namespace

FreeAsids find_free_asids() {
  for (unsigned i = 0; i < kAsidPools; ++i) {
    if (pools[i] == &no_pool) return {true, i * kAsidsPerPool};
  }
  return {false, 0};
}

void asid_add_pool(unsigned base, AsidPool& pool) {
  pools[base / kAsidsPerPool] = &pool;
}

AsidPool* asid_pool_at(unsigned base) {
  AsidPool* const pool = pools[base / kAsidsPerPool % kAsidPools];
  return pool != &no_pool ? pool : nullptr;
}

void asid_remove_pool(unsigned base, AsidPool& pool) {
  if (asid_pool_at(base) != &pool) return;
  for (const PageTable* root : pool.roots) {
    if (root != nullptr) leave(to_phys(root));
  }
  pools[base / kAsidsPerPool] = &no_pool;
}

PageTable* vspace_of(unsigned asid) {
  return pools[asid / kAsidsPerPool % kAsidPools]->roots[asid % kAsidsPerPool];
}

void asid_assign(unsigned asid, PageTable& root) {
  asid_pool_at(asid)->roots[asid % kAsidsPerPool] = &root;
}

void asid_release(unsigned asid, PageTable& root) {
  leave(to_phys(&root));
  if (vspace_of(asid) == &root) asid_pool_at(asid)->roots[asid % kAsidsPerPool] = nullptr;
}

void forget_mapping(const Cap& page) {
  if (page.map_kind() == MapKind::kVSpace) {
    unmap_page(page.mapped_asid(), page.mapped_vaddr(), level_of(page.page_size()), page.paddr());
  } else if (page.map_kind() == MapKind::kIoSpace) {
    if constexpr (abi::kConfiguration.iommu) {
      io_unmap_page(page.mapped_device(), page.mapped_vaddr(), page.paddr());
    }
  }
}

void unmap_page(unsigned asid, Word address, PageLevel level, PhysAddr frame) {
  PageTable* root = vspace_of(asid);
  if (root == nullptr) return;
  const auto entry = find_entry(*root, address, level);
  if (!entry || !entry_present(**entry) || !entry_is_page(**entry, level)) return;
  const PhysAddr mapped = level == PageLevel::kPageTable ? page_entry::table_address(**entry)
                                                         : page_entry::large_address(**entry);
  if (mapped != frame) return;
  **entry = 0;
  forget_page(*root, address);
}

void unmap_table(unsigned asid, Word address, PageLevel parent_level, PhysAddr table) {
  PageTable* root = vspace_of(asid);
  if (root == nullptr) return;
  const auto entry = find_entry(*root, address, parent_level);
  if (!entry || !entry_present(**entry)) return;
  if (parent_level != PageLevel::kPml4 && entry_is_page(**entry, parent_level)) return;
  if (page_entry::table_address(**entry) != table) return;
  **entry = 0;
  forget_tables(*root);
}

void forget_page(const PageTable& root, Word address) {
  if (is_active(root)) cpu::invalidate_page(address);
  tell_others(to_phys(&root), Change::kPage, address);
}

void forget_tables(const PageTable& root) {
  if (is_active(root)) load(to_phys(&root));
  tell_others(to_phys(&root), Change::kTables);
}

void activate(const PageTable* root) {
  const PhysAddr wanted = root != nullptr ? to_phys(root) : kernel_only_root();
  if (wanted != active_root()) load(wanted);
}

}  // namespace lona::kernel
