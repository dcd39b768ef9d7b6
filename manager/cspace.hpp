// SPDX-License-Identifier: BSD-2-Clause
// The manager's CSpace: a root CNode whose entries are CNodes with the slots. Entry 0 is the CNode
// the kernel started us with, so that all CPtrs of the boot info stay valid; others come and go
// with the memory whose objects they name. All threads of the manager use it.
#pragma once

#include <array>
#include <optional>

#include "abi/sel4/boot_info.hpp"
#include "abi/sel4/objects.hpp"
#include "manager/lock.hpp"

namespace lona::manager {

class CSpace {
 public:
  // False: the kernel refused the first objects, or there is no memory for them.
  [[nodiscard]] bool start(const abi::BootInfo& info);
  void use(abi::CPtr lock) { lock_.use(lock); }

  [[nodiscard]] abi::CPtr root() const { return root_; }
  // Exactly one untyped of the boot info was spent on the root.
  [[nodiscard]] abi::CPtr spent_untyped() const { return untyped_; }
  // The first slot of entry 0 that is empty.
  [[nodiscard]] abi::CPtr first_empty() const { return root_ + 1; }
  [[nodiscard]] unsigned leaf_bits() const { return leaf_bits_; }

  [[nodiscard]] abi::SlotAddress address_of(abi::CPtr slot) const {
    return {root_, slot, abi::kWordBits};
  }
  // Entry `leaf` itself: where the CNode of 2^leaf_bits slots is named, or one of fewer.
  [[nodiscard]] abi::SlotAddress entry(abi::Word leaf) const {
    return {root_, leaf, abi::kWordBits - leaf_bits_};
  }
  [[nodiscard]] abi::CPtr first_slot(abi::Word leaf) const { return leaf << leaf_bits_; }

  // An entry that is in nobody's use, unless it is one of the last `kept`, and back.
  [[nodiscard]] std::optional<abi::Word> take_leaf(std::uint64_t kept);
  void give_leaf(abi::Word leaf);
  [[nodiscard]] const Lock& lock() const { return lock_; }

 private:
  static constexpr unsigned kRootBits = 12;

  Lock lock_;
  abi::CPtr root_ = 0;
  abi::CPtr untyped_ = 0;
  unsigned leaf_bits_ = 0;
  std::array<std::uint64_t, (1 << kRootBits) / 64> used_{1};
  std::uint64_t unused_ = (1 << kRootBits) - 1;
};

}  // namespace lona::manager
