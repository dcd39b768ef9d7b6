// SPDX-License-Identifier: BSD-2-Clause
#include "manager/memory.hpp"

#include <algorithm>
#include <bit>

namespace lona::manager {

namespace {

using abi::ObjectType;

unsigned block_bits(ObjectType type, unsigned size_bits) {
  switch (type) {
    case ObjectType::kUntyped:
    case ObjectType::kSchedContext:
      return size_bits;
    case ObjectType::kCNode:
      return size_bits + abi::kSlotBits;
    case ObjectType::kTcb:
      return abi::kTcbBits;
    case ObjectType::kEndpoint:
      return abi::kEndpointBits;
    case ObjectType::kNotification:
      return abi::kNotificationBits;
    case ObjectType::kReply:
      return abi::kReplyBits;
    case ObjectType::kHugePage:
      return abi::kHugePageBits;
    case ObjectType::kLargePage:
      return abi::kLargePageBits;
    case ObjectType::kPage4K:
    case ObjectType::kPdpt:
    case ObjectType::kPml4:
    case ObjectType::kPageTable:
    case ObjectType::kPageDirectory:
    case ObjectType::kIoPageTable:
      return abi::kPageBits;
  }
  return abi::kPageBits;
}

}  // namespace

bool Memory::start(const abi::BootInfo& info) {
  abi::CPtr first = cspace_.first_empty();
  while (first < info.empty.end && slots_.can_add()) {
    const std::uint64_t count = std::min(info.empty.end - first, SlotAllocator::kPageSlots);
    if (!slots_.add(first, count)) {
      return false;
    }
    first += count;
  }
  for (std::uint64_t at = 0; at < info.untyped.end - info.untyped.start; ++at) {
    const auto& untyped = info.untyped_list[at];
    const abi::CPtr slot = info.untyped.start + at;
    if (untyped.is_device != 0 || slot == cspace_.spent_untyped()) {
      continue;
    }
    if (untyped.size_bits > abi::kMaxUntypedBits || !untyped_.add(slot, untyped.size_bits)) {
      return false;
    }
  }
  return untyped_.total_bytes() != 0;
}

base::Expected<void, MemoryError> Memory::start_grant(Memory& parent, unsigned size_bits) {
  leaves_kept_ = parent.leaves_kept_ + kLeavesForALevel;
  node_ = TRY(parent.make(ObjectType::kCNode, kGrantNodeBits));
  const auto block = parent.untyped_.take(size_bits);
  if (block) {
    grant_ = *block;
    if (add_node(node_.cap, kGrantNodeBits) &&
        untyped_.add(parent.untyped_.slot(grant_), size_bits)) {
      return {};
    }
  }
  end_grant(parent);
  return base::fail(block ? MemoryError::out_of_slots : block.error());
}

base::Expected<void, MemoryError> Memory::add_to_grant(Memory& parent, unsigned size_bits) {
  if (piece_count_ == kMaxPieces) {
    return base::fail(MemoryError::out_of_blocks);
  }
  const BlockId block = TRY(parent.untyped_.take(size_bits));
  if (!untyped_.add(parent.untyped_.slot(block), size_bits)) {
    parent.untyped_.give(block);
    return base::fail(MemoryError::out_of_blocks);
  }
  pieces_[piece_count_++] = block;
  return {};
}

std::uint64_t Memory::take_from_grant(Memory& parent, std::uint64_t stays_free) {
  for (std::size_t at = piece_count_; at-- > 0;) {
    const BlockId block = pieces_[at];
    const unsigned bits = parent.untyped_.size_bits(block);
    const std::uint64_t bytes = std::uint64_t{1} << bits;
    if (untyped_.free_bytes() >= stays_free + bytes &&
        untyped_.withdraw(parent.untyped_.slot(block), bits)) {
      parent.untyped_.give(block);
      pieces_[at] = pieces_[--piece_count_];
      return bytes;
    }
  }
  return 0;
}

void Memory::end_grant(Memory& parent) {
  const auto take_back = [&](BlockId block) {
    // Only a bug of ours makes the kernel refuse; the block is then never used again.
    if (abi::cnode_revoke(address_of(parent.untyped_.slot(block))) == abi::Error::kNone) {
      parent.untyped_.give(block);
    }
  };
  if (grant_ != kNoBlock) {
    take_back(grant_);
    grant_ = kNoBlock;
  }
  while (piece_count_ > 0) {
    take_back(pieces_[--piece_count_]);
  }
  if (leaf_count_ > 0) {
    (void)abi::cnode_delete(cspace_.entry(leaves_[0]));  // further ones went with the grant
  }
  parent.destroy(node_);
  while (leaf_count_ > 0) {
    cspace_.give_leaf(leaves_[--leaf_count_]);
  }
}

abi::Error Memory::retype(abi::CPtr untyped, ObjectType type, unsigned size_bits,
                          abi::CPtr first_slot, std::uint64_t count) {
  const abi::SlotAddress node = cspace_.entry(first_slot >> cspace_.leaf_bits());
  std::uint64_t offset = first_slot - cspace_.first_slot(node.index);
  while (count > 0) {
    const std::uint64_t now = std::min<std::uint64_t>(count, abi::kRetypeFanOutLimit);
    if (const auto error = abi::untyped_retype(untyped, type, size_bits, node, offset, now);
        error != abi::Error::kNone) {
      return error;
    }
    offset += now;
    count -= now;
  }
  return abi::Error::kNone;
}

abi::Error Memory::remove(abi::CPtr slot) {
  return abi::cnode_delete(address_of(slot));
}

base::Expected<KernelObject, MemoryError> Memory::make(ObjectType type, unsigned size_bits) {
  const BlockId block = TRY(untyped_.take(block_bits(type, size_bits)));
  const auto slot = slots_.take();
  if (!slot) {
    untyped_.give(block);
    return base::fail(MemoryError::out_of_slots);
  }
  if (retype(untyped_.slot(block), type, size_bits, *slot, 1) != abi::Error::kNone) {
    slots_.give(*slot);
    untyped_.give(block);
    return base::fail(MemoryError::refused);
  }
  return KernelObject{.cap = *slot, .block = block};
}

void Memory::destroy(KernelObject& object) {
  if (object.block == kNoBlock) {
    return;
  }
  (void)remove(object.cap);
  slots_.give(object.cap);
  untyped_.give(object.block);
  object = {};
}

abi::Error Memory::hand_over(KernelObject& object, abi::SlotAddress target) {
  const abi::Error error = abi::cnode_move(target, address_of(object.cap));
  if (error == abi::Error::kNone) {
    slots_.give(object.cap);
    object.cap = 0;
  }
  return error;
}

std::uint64_t Memory::take_back(BlockId block) {
  const std::uint64_t bytes = std::uint64_t{1} << untyped_.size_bits(block);
  // Only a bug of ours makes the kernel refuse; the block is then never used again.
  if (abi::cnode_revoke(address_of(untyped_.slot(block))) == abi::Error::kNone) {
    untyped_.give(block);
  }
  return bytes;
}

std::uint64_t Memory::cost(ObjectType type, unsigned size_bits) {
  return std::uint64_t{1} << block_bits(type, size_bits);
}

base::Expected<FrameRun, MemoryError> Memory::make_frames(unsigned page_bits, std::uint64_t count) {
  FrameRun run = TRY(reserve_frames(page_bits, count));
  if (!fill_frames(run)) {
    give_frames(run);
    return base::fail(MemoryError::refused);
  }
  return run;
}

base::Expected<FrameRun, MemoryError> Memory::reserve_frames(unsigned page_bits,
                                                             std::uint64_t count) {
  const unsigned bits = page_bits + static_cast<unsigned>(std::countr_zero(count));
  const BlockId block = TRY(untyped_.take(bits));
  const auto slots = slots_.take(count);
  if (!slots) {
    untyped_.give(block);
    return base::fail(MemoryError::out_of_slots);
  }
  return FrameRun{.first = *slots, .count = count, .page_bits = page_bits, .block = block};
}

// A block that was taken, and its entry in the table, stay where they are.
bool Memory::fill_frames(const FrameRun& run) {
  const auto type =
      run.page_bits == abi::kLargePageBits ? ObjectType::kLargePage : ObjectType::kPage4K;
  const bool good =
      retype(untyped_.slot(run.block), type, 0, run.first, run.count) == abi::Error::kNone;
  if (!good) {
    empty_frames(run);  // the batches that were made, if any
  }
  return good;
}

void Memory::destroy_frames(FrameRun& run) {
  if (run.block == kNoBlock) {
    return;
  }
  for (std::uint64_t at = 0; at < run.count; ++at) {
    (void)remove(run.first + at);
  }
  slots_.give(run.first, run.count);
  untyped_.give(run.block);
  run = {};
}

// Of a cap to an untyped the kernel refuses no revocation.
void Memory::empty_frames(const FrameRun& run) {
  (void)abi::cnode_revoke(address_of(untyped_.slot(run.block)));
}

void Memory::give_frames(const FrameRun& run) {
  slots_.give(run.first, run.count);
  untyped_.give(run.block);
}

base::Expected<abi::CPtr, MemoryError> Memory::copy_cap(abi::CPtr source, abi::CapRights rights) {
  const abi::CPtr slot = TRY(take_slot());
  if (abi::cnode_copy(address_of(slot), address_of(source), rights) != abi::Error::kNone) {
    slots_.give(slot);
    return base::fail(MemoryError::refused);
  }
  return slot;
}

base::Expected<abi::CPtr, MemoryError> Memory::badge_cap(abi::CPtr source, abi::CapRights rights,
                                                         std::uint64_t badge) {
  const abi::CPtr slot = TRY(take_slot());
  if (abi::cnode_mint(address_of(slot), address_of(source), rights, badge) != abi::Error::kNone) {
    slots_.give(slot);
    return base::fail(MemoryError::refused);
  }
  return slot;
}

base::Expected<abi::CPtr, MemoryError> Memory::take_slot() {
  const auto slot = slots_.take();
  if (!slot) {
    return base::fail(MemoryError::out_of_slots);
  }
  return *slot;
}

void Memory::drop_cap(abi::CPtr cap) {
  if (cap != 0) {
    (void)remove(cap);
    slots_.give(cap);
  }
}

void Memory::drop_caps(abi::CPtr first, std::uint64_t count) {
  for (std::uint64_t at = 0; at < count; ++at) {
    (void)remove(first + at);
  }
  slots_.give(first, count);
}

// Names a CNode in the CSpace, so that its slots can be used.
bool Memory::add_node(abi::CPtr node, unsigned bits) {
  const auto leaf =
      leaf_count_ < kMaxLeaves && slots_.can_add() ? cspace_.take_leaf(leaves_kept_) : std::nullopt;
  if (!leaf) {
    return false;
  }
  const abi::CNodeData guard(0, cspace_.leaf_bits() - bits);
  if (abi::cnode_mint(cspace_.entry(*leaf), address_of(node), abi::kAllRights, guard.raw()) !=
      abi::Error::kNone) {
    cspace_.give_leaf(*leaf);
    return false;
  }
  leaves_[leaf_count_++] = *leaf;
  return slots_.add(cspace_.first_slot(*leaf), std::uint64_t{1} << bits);
}

void Memory::keep_slots_ready(std::uint64_t wanted) {
  while (slots_.free_slots() < wanted) {
    // As many slots as one page of the allocator has, where leaves and grants are that large.
    const unsigned bits = std::min(cspace_.leaf_bits(), grant_ == kNoBlock ? 12U : 10U);
    auto node = make(ObjectType::kCNode, bits);
    if (!node) {
      return;
    }
    if (!add_node(node->cap, bits)) {
      destroy(*node);
      return;
    }
  }
}

}  // namespace lona::manager
