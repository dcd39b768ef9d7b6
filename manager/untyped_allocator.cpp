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

bool UntypedAllocator::withdraw(abi::CPtr slot, unsigned size_bits) {
  BlockId block = free_lists_[size_bits];
  while (block != kNoBlock && blocks_[block].slot != slot) {
    block = blocks_[block].next;
  }
  if (block == kNoBlock || blocks_[block].parent != kNoBlock) {
    return false;
  }
  unlist(block);
  drop_block(block);
  total_ -= std::uint64_t{1} << size_bits;
  free_ -= std::uint64_t{1} << size_bits;
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
    block = TRY(split(block, piece_bits(block, size_bits)));
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

unsigned UntypedAllocator::piece_bits(BlockId block, unsigned wanted_bits) const {
  const unsigned bits = blocks_[block].size_bits;
  return wanted_bits <= abi::kPageBits && bits > abi::kPageBits && bits <= kPagesBlockBits
             ? abi::kPageBits
             : bits - 1;
}

// All pieces become free; the first one is the result. The kernel zeroes what it makes, so the
// second one of two halves is made when it is wanted: the kernel takes it from behind the first.
base::Expected<BlockId, MemoryError> UntypedAllocator::split(BlockId block, unsigned bits) {
  const std::uint64_t count = std::uint64_t{1} << (blocks_[block].size_bits - bits);
  const std::uint64_t made = count == 2 ? 1 : count;
  const BlockId first = new_pieces(count);
  if (first == kNoBlock) {
    return base::fail(MemoryError::out_of_blocks);
  }
  const auto slots = slots_.take(count);
  if (!slots) {
    drop_pieces(first);
    return base::fail(MemoryError::out_of_slots);
  }
  if (!make(block) || kernel_.retype(blocks_[block].slot, abi::ObjectType::kUntyped, bits, *slots,
                                     made) != abi::Error::kNone) {
    slots_.give(*slots, count);
    drop_pieces(first);
    return base::fail(MemoryError::refused);
  }
  unlist(block);
  blocks_[block].state = State::split;
  blocks_[block].pieces = static_cast<std::uint8_t>(count);
  blocks_[block].free_pieces = 0;
  BlockId piece = first;
  for (std::uint64_t at = 0; at < count; ++at, piece = blocks_[piece].buddy) {
    Block& entry = blocks_[piece];
    entry.slot = *slots + at;
    entry.parent = block;
    entry.size_bits = static_cast<std::uint8_t>(bits);
    entry.made = at < made;
    list(piece);
  }
  return first;
}

bool UntypedAllocator::make(BlockId block) {
  Block& entry = blocks_[block];
  entry.made = entry.made || kernel_.retype(blocks_[entry.parent].slot, abi::ObjectType::kUntyped,
                                            entry.size_bits, entry.slot, 1) == abi::Error::kNone;
  return entry.made;
}

// Joins a free block with the other pieces of the parent that they came from, which is then free.
BlockId UntypedAllocator::merge(BlockId block) {
  const BlockId parent = blocks_[block].parent;
  if (parent == kNoBlock || blocks_[parent].free_pieces != blocks_[parent].pieces) {
    return kNoBlock;
  }
  BlockId piece = block;
  do {
    // The kernel never refuses to delete an untyped without children; should it, the pieces stay.
    if (blocks_[piece].made && kernel_.remove(blocks_[piece].slot) != abi::Error::kNone) {
      return kNoBlock;
    }
    piece = blocks_[piece].buddy;
  } while (piece != block);
  do {
    unlist(piece);
    slots_.give(blocks_[piece].slot);
    piece = blocks_[piece].buddy;
  } while (piece != block);
  drop_pieces(block);
  list(parent);
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
  if (entry.parent != kNoBlock) {
    ++blocks_[entry.parent].free_pieces;
  }
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
  if (entry.parent != kNoBlock) {
    --blocks_[entry.parent].free_pieces;
  }
}

// Entries that name each other in turn, or none.
BlockId UntypedAllocator::new_pieces(std::uint64_t count) {
  const BlockId first = new_block();
  BlockId last = first;
  for (std::uint64_t at = 1; at < count && last != kNoBlock; ++at) {
    blocks_[last].buddy = first;
    const BlockId piece = new_block();
    if (piece != kNoBlock) {
      blocks_[last].buddy = piece;
      blocks_[piece].buddy = first;
    } else {
      drop_pieces(first);
    }
    last = piece;
  }
  return last == kNoBlock ? kNoBlock : first;
}

void UntypedAllocator::drop_pieces(BlockId first) {
  BlockId piece = first;
  do {
    const BlockId next = blocks_[piece].buddy;
    drop_block(piece);
    piece = next;
  } while (piece != first);
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
  blocks_[block] = Block{};
  blocks_[block].next = std::exchange(unused_, block);
}

}  // namespace lona::manager
