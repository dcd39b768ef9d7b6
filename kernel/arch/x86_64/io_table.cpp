// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/arch/x86_64/io_table.hpp"

namespace lona::kernel {

std::expected<IoEntry*, MissingIoTable> find_io_entry(IoTable& root, Word address, unsigned level,
                                                      unsigned levels) {
  IoTable* table = &root;
  for (unsigned at = 0;; ++at) {
    IoEntry& entry = (*table)[io_index(address, at, levels)];
    if (at == level) return &entry;
    if (!io_entry::present(entry)) return std::unexpected(MissingIoTable{at + 1});
    table = from_phys<IoTable>(io_entry::address(entry));
  }
}

}  // namespace lona::kernel
