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
  return build_root(info) && take_stock(info);
}

// Uses the first slots of the empty region and the smallest untyped that is large enough, before
// the allocators know of either.
bool Memory::build_root(const abi::BootInfo& info) {
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
  // Exactly one untyped is spent on the root; take_stock() leaves it out.
  const abi::CPtr untyped = info.untyped.start + best;
  const abi::SlotAddress init{abi::kSlotInitCNode, abi::kSlotInitCNode, abi::kWordBits};
  const abi::SlotAddress guarded{abi::kSlotInitCNode, root_, abi::kWordBits};
  const abi::SlotAddress unguarded{abi::kSlotInitCNode, plain, abi::kWordBits};
  const abi::CNodeData guard(0, abi::kWordBits - kRootBits - leaf_bits_);
  root_untyped_ = untyped;
  return abi::untyped_retype(untyped, ObjectType::kCNode, kRootBits, {abi::kSlotInitCNode, 0, 0},
                             plain, 1) == abi::Error::kNone &&
         abi::cnode_mint({plain, 0, kRootBits}, init, abi::kAllRights,
                         abi::CNodeData(0, 0).raw()) == abi::Error::kNone &&
         abi::cnode_mint(guarded, unguarded, abi::kAllRights, guard.raw()) == abi::Error::kNone &&
         abi::tcb_set_space(abi::kSlotInitTcb, 0, root_, abi::CNodeData(0), abi::kSlotInitVSpace) ==
             abi::Error::kNone;
}

bool Memory::take_stock(const abi::BootInfo& info) {
  abi::CPtr first = root_ + 1;
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
    if (untyped.is_device != 0 || slot == root_untyped_) {
      continue;
    }
    if (untyped.size_bits > abi::kMaxUntypedBits || !untyped_.add(slot, untyped.size_bits)) {
      return false;
    }
  }
  return untyped_.total_bytes() != 0;
}

abi::Error Memory::retype(abi::CPtr untyped, ObjectType type, unsigned size_bits,
                          abi::CPtr first_slot, std::uint64_t count) {
  const abi::SlotAddress node{root_, first_slot >> leaf_bits_, abi::kWordBits - leaf_bits_};
  std::uint64_t offset = first_slot & ((std::uint64_t{1} << leaf_bits_) - 1);
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

base::Expected<FrameRun, MemoryError> Memory::make_frames(unsigned page_bits, std::uint64_t count) {
  const auto type = page_bits == abi::kLargePageBits ? ObjectType::kLargePage : ObjectType::kPage4K;
  const unsigned bits = page_bits + static_cast<unsigned>(std::countr_zero(count));
  const BlockId block = TRY(untyped_.take(bits));
  const auto slots = slots_.take(count);
  if (!slots) {
    untyped_.give(block);
    return base::fail(MemoryError::out_of_slots);
  }
  FrameRun run{.first = *slots, .count = count, .page_bits = page_bits, .block = block};
  if (retype(untyped_.slot(block), type, 0, *slots, count) != abi::Error::kNone) {
    destroy_frames(run);  // the batches that were made, if any
    return base::fail(MemoryError::refused);
  }
  return run;
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

void Memory::keep_slots_ready() {
  constexpr std::uint64_t kReady = 2048;
  // A CNode of the leaves' size, or of one allocator page where the leaves are larger than that.
  const unsigned bits = std::min(leaf_bits_, 12U);
  if (slots_.free_slots() >= kReady || !slots_.can_add() || leaves_ == 1U << kRootBits) {
    return;
  }
  const auto node = make(ObjectType::kCNode, bits);
  if (!node) {
    return;
  }
  const abi::CNodeData guard(0, leaf_bits_ - bits);
  const abi::SlotAddress entry{root_, leaves_, abi::kWordBits - leaf_bits_};
  if (abi::cnode_mint(entry, address_of(node->cap), abi::kAllRights, guard.raw()) ==
      abi::Error::kNone) {
    (void)slots_.add(leaves_ << leaf_bits_, std::uint64_t{1} << bits);
    ++leaves_;
  }
}

}  // namespace lona::manager
