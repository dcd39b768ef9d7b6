// SPDX-License-Identifier: BSD-2-Clause
#include "manager/cspace.hpp"

#include <bit>

namespace lona::manager {

// Uses the first slots of the empty region and the smallest untyped that is large enough, before
// the allocators know of either.
bool CSpace::start(const abi::BootInfo& info) {
  leaf_bits_ = static_cast<unsigned>(info.init_cnode_size_bits);
  const abi::CPtr plain = info.empty.start;
  root_ = info.empty.start + 1;
  const unsigned needed = kRootBits + abi::kSlotBits;
  std::uint64_t best = ~std::uint64_t{0};
  for (std::uint64_t at = 0; at < info.untyped.end - info.untyped.start; ++at) {
    const auto& untyped = info.untyped_list[at];
    const bool fits = untyped.is_device == 0 && untyped.size_bits >= needed;
    if (fits &&
        (best == ~std::uint64_t{0} || untyped.size_bits < info.untyped_list[best].size_bits)) {
      best = at;
    }
  }
  if (best == ~std::uint64_t{0} || leaf_bits_ + kRootBits >= abi::kWordBits) {
    return false;
  }
  untyped_ = info.untyped.start + best;
  const abi::SlotAddress init{abi::kSlotInitCNode, abi::kSlotInitCNode, abi::kWordBits};
  const abi::SlotAddress guarded{abi::kSlotInitCNode, root_, abi::kWordBits};
  const abi::SlotAddress unguarded{abi::kSlotInitCNode, plain, abi::kWordBits};
  const abi::CNodeData guard(0, abi::kWordBits - kRootBits - leaf_bits_);
  const auto good = [](abi::Error error) { return error == abi::Error::kNone; };
  return good(abi::untyped_retype(untyped_, abi::ObjectType::kCNode, kRootBits,
                                  {abi::kSlotInitCNode, 0, 0}, plain, 1)) &&
         good(abi::cnode_mint({plain, 0, kRootBits}, init, abi::kAllRights,
                              abi::CNodeData(0, 0).raw())) &&
         good(abi::cnode_mint(guarded, unguarded, abi::kAllRights, guard.raw())) &&
         good(abi::tcb_set_space(abi::kSlotInitTcb, 0, root_, abi::CNodeData(0),
                                 abi::kSlotInitVSpace));
}

std::optional<abi::Word> CSpace::take_leaf(std::uint64_t kept) {
  const Guard guard(lock_);
  if (unused_ <= kept) {
    return std::nullopt;
  }
  for (std::size_t word = 0; word < used_.size(); ++word) {
    if (const auto bit = static_cast<unsigned>(std::countr_one(used_[word])); bit < 64) {
      used_[word] |= std::uint64_t{1} << bit;
      --unused_;
      return word * 64 + bit;
    }
  }
  return std::nullopt;
}

void CSpace::give_leaf(abi::Word leaf) {
  const Guard guard(lock_);
  ++unused_;
  used_[leaf / 64] &= ~(std::uint64_t{1} << (leaf % 64));
}

}  // namespace lona::manager
