// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/arch/x86_64/page_table.hpp"

namespace lona::kernel {

std::expected<PageEntry*, MissingTable> find_entry(PageTable& root, Word address, PageLevel level) {
  PageTable* table = &root;
  for (unsigned at = static_cast<unsigned>(PageLevel::kPml4);; at -= 9) {
    const auto here = static_cast<PageLevel>(at);
    PageEntry& entry = (*table)[table_index(address, here)];
    if (here == level) return &entry;
    const bool has_table =
        entry_present(entry) && (here == PageLevel::kPml4 || !entry_is_page(entry, here));
    if (!has_table) return std::unexpected(MissingTable{here});
    table = from_phys<PageTable>(page_entry::table_address(entry));
  }
}

PageEntry make_page_entry(PhysAddr address, PageLevel level, abi::CapRights rights,
                          Word attributes) {
  namespace e = page_entry;
  const bool small = level == PageLevel::kPageTable;
  const bool pat = attributes & 4;
  PageEntry entry = address | e::Present::make(true) |
                    e::Writable::make(rights.write() && rights.read()) |
                    e::User::make(rights.read()) | e::WriteThrough::make(attributes & 1) |
                    e::CacheDisabled::make(attributes & 2);
  if (small) return entry | e::SmallPat::make(pat);
  return entry | e::Large::make(true) | e::LargePat::make(pat);
}

PageEntry make_table_entry(PhysAddr table) {
  namespace e = page_entry;
  return table | e::Present::make(true) | e::Writable::make(true) | e::User::make(true);
}

}  // namespace lona::kernel
