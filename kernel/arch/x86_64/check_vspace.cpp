// SPDX-License-Identifier: BSD-2-Clause
// Address spaces against capabilities: what the processor would find in the tables of every living
// address space is backed by an object and by a capability that says where it is mapped.
#include "kernel/arch/x86_64/vspace.hpp"
#include "kernel/arch/x86_64/window.hpp"
#include "kernel/check/check.hpp"
#include "kernel/object/derivation.hpp"

namespace lona::kernel {

namespace {

class SpaceCheck {
 public:
  explicit SpaceCheck(const ObjectIndex& index) : index_(index) {}

  Complaint run() {
    for (unsigned pool_index = 0; pool_index < kAsidPools; ++pool_index) {
      const AsidPool* const pool = asid_pool_at(pool_index * kAsidsPerPool);
      if (pool == nullptr) continue;
      if (index_.find(pool, CapType::kAsidPool) == nullptr) {
        return {"an address space pool has no capability", to_phys(pool)};
      }
      for (unsigned i = 0; i < kAsidsPerPool; ++i) {
        if (pool->roots[i] == nullptr) continue;
        asid_ = pool_index * kAsidsPerPool + i;
        if (const Complaint wrong = check_root(to_phys(pool->roots[i]))) return wrong;
      }
    }
    return {};
  }

 private:
  Complaint check_root(PhysAddr root) {
    const ObjectIndex::Entry* const entry = index_.find(root, CapType::kPml4);
    if (entry == nullptr) return {"an address space number names no top-level table", root};
    if (!mapped_at(*entry, 0)) return {"an address space does not know its number", root};
    alignas(4096) static constinit PageTable kernel_half{};
    copy_kernel_window(kernel_half);
    const PageTable& table = *from_phys<PageTable>(root);
    for (unsigned i = kEntriesPerTable / 2; i < kEntriesPerTable; ++i) {
      if ((table[i] ^ kernel_half[i]) & ~kAccessed) return {"the kernel's half differs", root};
    }
    return check_table(table, PageLevel::kPml4, 0);
  }

  // The user half of a table at `level` whose first entry maps `base`.
  Complaint check_table(const PageTable& table, PageLevel level, Word base) {
    const unsigned count = level == PageLevel::kPml4 ? kEntriesPerTable / 2 : kEntriesPerTable;
    for (unsigned i = 0; i < count; ++i) {
      if (!entry_present(table[i])) continue;
      const Word address = base + (Word{i} << static_cast<unsigned>(level));
      const bool page = level != PageLevel::kPml4 && entry_is_page(table[i], level);
      const Complaint wrong =
          page ? check_page(table[i], level, address) : check_pointer(table[i], level, address);
      if (wrong) return wrong;
    }
    return {};
  }

  Complaint check_pointer(PageEntry entry, PageLevel level, Word address) {
    static constexpr CapType kTypes[] = {CapType::kPageTable, CapType::kPageDirectory,
                                         CapType::kPdpt};
    const unsigned below = (static_cast<unsigned>(level) - 21) / 9;
    const PhysAddr table = page_entry::table_address(entry);
    const ObjectIndex::Entry* const object = index_.find(table, kTypes[below]);
    if (object == nullptr) return {"a table entry points to what is no table", address};
    if (!mapped_at(*object, address)) return {"a table is mapped without a capability", address};
    return check_table(*from_phys<PageTable>(table),
                       static_cast<PageLevel>(static_cast<unsigned>(level) - 9), address);
  }

  Complaint check_page(PageEntry entry, PageLevel level, Word address) const {
    const PhysAddr frame = level == PageLevel::kPageTable ? page_entry::table_address(entry)
                                                          : page_entry::large_address(entry);
    const ObjectIndex::Entry* const object = index_.find(frame, CapType::kPage);
    if (object == nullptr) return {"a mapping leads to what is no page", address};
    if (object->bytes != Word{1} << static_cast<unsigned>(level)) {
      return {"a mapping has another size than its page", address};
    }
    if (!mapped_at(*object, address)) return {"a page is mapped without a capability", address};
    if (page_entry::Writable::get(entry) && !mapped_at(*object, address, Right::kWrite)) {
      return {"a mapping allows more than its capability", address};
    }
    return {};
  }

  // Does a capability to the object say: mapped here? With Write, if that is asked. Several can: a
  // page takes the place of its own copy.
  enum class Right { kAny, kWrite };
  bool mapped_at(const ObjectIndex::Entry& object, Word address, Right right = Right::kAny) const {
    for (const Slot* slot = object.first;
         slot != nullptr && same_object(slot->cap, object.first->cap); slot = slot->node.next()) {
      if (slot->cap.mapped_asid() == asid_ && slot->cap.mapped_vaddr() == address &&
          (right == Right::kAny || slot->cap.rights().write())) {
        return true;
      }
    }
    return false;
  }

  // Set by the processor as it likes.
  static constexpr PageEntry kAccessed = 1 << 5;

  const ObjectIndex& index_;
  unsigned asid_ = 0;
};

}  // namespace

Complaint arch::check_spaces(const ObjectIndex& index) {
  return SpaceCheck(index).run();
}

}  // namespace lona::kernel
