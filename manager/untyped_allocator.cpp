// SPDX-License-Identifier: BSD-2-Clause
#include "manager/untyped_allocator.hpp"

#include <utility>

namespace lona::manager {

UntypedAllocator::UntypedAllocator(KernelObjects& kernel, SlotAllocator& slots,
                                   std::span<Block> blocks)
    : kernel_(kernel), slots_(slots), blocks_(blocks) {
  free_lists_.fill(kNoBlock);
}

bool UntypedAllocator::add(abi::CPtr slot, unsigned size_bits) {
  const BlockId block = new_block();
  if (block == kNoBlock) {
    return false;
  }
  blocks_[block].slot = slot;
  blocks_[block].size_bits = static_cast<std::uint8_t>(size_bits);
  total_ += std::uint64_t{1} << size_bits;
  free_ += std::uint64_t{1} << size_bits;
  list(block);
  return true;
}

base::Expected<BlockId, MemoryError> UntypedAllocator::take(unsigned size_bits) {
  unsigned found = size_bits;
  while (found < free_lists_.size() && free_lists_[found] == kNoBlock) {
    ++found;
  }
  if (found >= free_lists_.size()) {
    return base::fail(MemoryError::out_of_memory);
  }
  BlockId block = free_lists_[found];
  while (blocks_[block].size_bits > size_bits) {
    block = TRY(split(block));
  }
  if (!make(block)) {
    return base::fail(MemoryError::refused);
  }
  unlist(block);
  blocks_[block].state = State::taken;
  free_ -= std::uint64_t{1} << size_bits;
  return block;
}

void UntypedAllocator::give(BlockId block) {
  free_ += std::uint64_t{1} << blocks_[block].size_bits;
  list(block);
  while (block != kNoBlock) {
    block = merge(block);  // the parent's own buddy may be free as well
  }
}

unsigned UntypedAllocator::largest_free_bits() const {
  for (std::size_t bits = free_lists_.size(); bits-- > 0;) {
    if (free_lists_[bits] != kNoBlock) {
      return static_cast<unsigned>(bits);
    }
  }
  return 0;
}

// Both halves become free; the first one is the result. The kernel zeroes what it makes, so the
// second one is made when it is wanted: the kernel takes it from behind the first one.
base::Expected<BlockId, MemoryError> UntypedAllocator::split(BlockId block) {
  const BlockId first = new_block();
  const BlockId second = first == kNoBlock ? kNoBlock : new_block();
  const auto slots = second == kNoBlock ? std::nullopt : slots_.take(2);
  const unsigned half_bits = blocks_[block].size_bits - 1U;
  const auto undo = [&](MemoryError error) {
    drop_block(first);
    drop_block(second);
    return base::fail(error);
  };
  if (second == kNoBlock) {
    return undo(MemoryError::out_of_blocks);
  }
  if (!slots) {
    return undo(MemoryError::out_of_slots);
  }
  if (!make(block) || kernel_.retype(blocks_[block].slot, abi::ObjectType::kUntyped, half_bits,
                                     *slots, 1) != abi::Error::kNone) {
    slots_.give(*slots, 2);
    return undo(MemoryError::refused);
  }
  unlist(block);
  blocks_[block].state = State::split;
  const auto half = [&](BlockId which, BlockId buddy, abi::CPtr slot) {
    Block& entry = blocks_[which];
    entry.slot = slot;
    entry.parent = block;
    entry.buddy = buddy;
    entry.size_bits = static_cast<std::uint8_t>(half_bits);
    list(which);
  };
  half(second, first, *slots + 1);
  half(first, second, *slots);
  blocks_[second].made = false;
  return first;
}

bool UntypedAllocator::make(BlockId block) {
  Block& entry = blocks_[block];
  entry.made = entry.made || kernel_.retype(blocks_[entry.parent].slot, abi::ObjectType::kUntyped,
                                            entry.size_bits, entry.slot, 1) == abi::Error::kNone;
  return entry.made;
}

// Joins a free block with its free buddy to the parent that they came from, which is then free.
BlockId UntypedAllocator::merge(BlockId block) {
  const BlockId buddy = blocks_[block].buddy;
  const BlockId parent = blocks_[block].parent;
  if (parent == kNoBlock || blocks_[buddy].state != State::free) {
    return kNoBlock;
  }
  // The kernel never refuses to delete an untyped without children; should it, the halves stay.
  for (const BlockId half : {block, buddy}) {
    if (blocks_[half].made && kernel_.remove(blocks_[half].slot) != abi::Error::kNone) {
      return kNoBlock;
    }
  }
  unlist(block);
  unlist(buddy);
  slots_.give(blocks_[block].slot);
  slots_.give(blocks_[buddy].slot);
  list(parent);
  drop_block(buddy);
  drop_block(block);
  return parent;
}

void UntypedAllocator::list(BlockId block) {
  Block& entry = blocks_[block];
  BlockId& head = free_lists_[entry.size_bits];
  entry.state = State::free;
  entry.previous = kNoBlock;
  entry.next = head;
  if (head != kNoBlock) {
    blocks_[head].previous = block;
  }
  head = block;
}

void UntypedAllocator::unlist(BlockId block) {
  Block& entry = blocks_[block];
  if (entry.previous != kNoBlock) {
    blocks_[entry.previous].next = entry.next;
  } else {
    free_lists_[entry.size_bits] = entry.next;
  }
  if (entry.next != kNoBlock) {
    blocks_[entry.next].previous = entry.previous;
  }
  entry.next = kNoBlock;
  entry.previous = kNoBlock;
}

BlockId UntypedAllocator::new_block() {
  if (unused_ != kNoBlock) {
    const BlockId block = unused_;
    unused_ = blocks_[block].next;
    blocks_[block] = Block{};
    return block;
  }
  return fresh_ < blocks_.size() ? fresh_++ : kNoBlock;
}

void UntypedAllocator::drop_block(BlockId block) {
  if (block == kNoBlock) {
    return;
  }
  blocks_[block] = Block{};
  blocks_[block].next = std::exchange(unused_, block);
}

}  // namespace lona::manager
