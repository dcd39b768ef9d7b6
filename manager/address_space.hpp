// SPDX-License-Identifier: BSD-2-Clause
// A VSpace and the page tables below it, which are made when a mapping needs them.
#pragma once

#include <array>

#include "manager/memory.hpp"

namespace lona::manager {

class AddressSpace {
 public:
  // Tables for about 128 GiB of large pages, or 500 MiB of small ones.
  static constexpr std::size_t kMaxTables = 256;

  // The manager's own: its tables below `vspace` came with the boot.
  void adopt(abi::CPtr vspace) { vspace_ = vspace; }

  // A new one, with an address space identifier from the boot's pool.
  [[nodiscard]] base::Expected<void, MemoryError> make(Memory& memory);
  void destroy(Memory& memory);

  // Maps one frame. `Error::kDeleteFirst`: something is mapped there already.
  [[nodiscard]] abi::Error map(Memory& memory, abi::CPtr frame, abi::Word address,
                               abi::CapRights rights);

  [[nodiscard]] abi::CPtr cap() const { return vspace_; }

 private:
  [[nodiscard]] abi::Error add_table(Memory& memory, abi::Word address, abi::Word missing_bits);

  abi::CPtr vspace_ = 0;
  KernelObject root_;
  std::array<KernelObject, kMaxTables> tables_{};
  std::size_t table_count_ = 0;
};

}  // namespace lona::manager
