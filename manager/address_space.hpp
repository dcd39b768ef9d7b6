// SPDX-License-Identifier: BSD-2-Clause
// A VSpace and the page tables below it, which are made when a mapping needs them.
#pragma once

#include <array>

#include "manager/memory.hpp"

namespace lona::manager {

// Identifiers of address spaces come out of pools of 512.
class AsidPools {
 public:
  // Room for that many address spaces besides the boot's own.
  [[nodiscard]] bool start(Memory& memory, std::size_t spaces);
  [[nodiscard]] abi::Error assign(abi::CPtr vspace) const;

 private:
  static constexpr std::size_t kPoolSpaces = 512;
  static constexpr std::size_t kMaxPools = 8;

  std::array<abi::CPtr, kMaxPools> pools_{abi::kSlotInitAsidPool};
  std::size_t count_ = 1;
};

class AddressSpace {
 public:
  // `tables`: one for each page table it can have; 256 are enough for about 128 GiB of large pages,
  // or 500 MiB of small ones.
  explicit AddressSpace(std::span<KernelObject> tables) : tables_(tables) {}

  // The manager's own: its tables below `vspace` came with the boot.
  void adopt(abi::CPtr vspace) { vspace_ = vspace; }

  // A new one; it goes with the memory it is made of.
  [[nodiscard]] base::Expected<void, MemoryError> make(Memory& memory, const AsidPools& asids);

  // Maps one frame. `Error::kDeleteFirst`: something is mapped there already.
  [[nodiscard]] abi::Error map(Memory& memory, abi::CPtr frame, abi::Word address,
                               abi::CapRights rights);
  // Makes the tables that a frame of 2^page_bits bytes at the address needs.
  [[nodiscard]] abi::Error prepare(Memory& memory, abi::Word address, unsigned page_bits);

  [[nodiscard]] abi::CPtr cap() const { return vspace_; }

 private:
  [[nodiscard]] abi::Error add_table(Memory& memory, abi::Word address, abi::Word missing_bits);

  abi::CPtr vspace_ = 0;
  KernelObject root_;
  std::span<KernelObject> tables_;
  std::size_t table_count_ = 0;
};

}  // namespace lona::manager
