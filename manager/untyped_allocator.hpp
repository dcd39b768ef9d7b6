// SPDX-License-Identifier: BSD-2-Clause
// All memory of the machine, as a binary buddy system over kernel untypeds.
//
// A block is one untyped cap. It is split by retyping it into its two halves, and is whole again
// when both halves are free and their caps deleted: then the kernel lets it be retyped anew. So
// the accounting is exact, and what was taken and given back leaves no trace. Taking and giving
// cost at most one split or merge per size between the block asked for and the one found.
//
// A small block of which a page or less is wanted becomes pages at once: one call of the kernel's
// instead of two for each page. Most that is asked for is that small.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/expected.hpp"
#include "manager/kernel_objects.hpp"
#include "manager/slot_allocator.hpp"

namespace lona::manager {

enum class MemoryError : std::uint8_t {
  out_of_memory,  // no free block is large enough
  out_of_slots,   // the manager's CSpace is full
  out_of_blocks,  // the table of blocks is full
  refused,        // the kernel said no: a bug of ours, or a kernel that differs
};

// Names a block; stays valid until the block is given back.
using BlockId = std::uint32_t;
inline constexpr BlockId kNoBlock = ~BlockId{0};

class UntypedAllocator {
 public:
  class Block;

  // `blocks`: what it keeps of each block, free ones and pieces included.
  UntypedAllocator(KernelObjects& kernel, SlotAllocator& slots, std::span<Block> blocks);

  // One untyped of the boot info. False when the table is full.
  [[nodiscard]] bool add(abi::CPtr slot, unsigned size_bits);

  // Takes back what was added, when nothing of it is in use. False: something is.
  [[nodiscard]] bool withdraw(abi::CPtr slot, unsigned size_bits);

  // A block of exactly 2^size_bits bytes, with no object in it.
  [[nodiscard]] base::Expected<BlockId, MemoryError> take(unsigned size_bits);

  // The block's objects must have been deleted.
  void give(BlockId block);

  [[nodiscard]] abi::CPtr slot(BlockId block) const;
  [[nodiscard]] unsigned size_bits(BlockId block) const;

  [[nodiscard]] std::uint64_t total_bytes() const { return total_; }
  [[nodiscard]] std::uint64_t free_bytes() const { return free_; }
  [[nodiscard]] unsigned largest_free_bits() const;

 private:
  enum class State : std::uint8_t { unused, free, split, taken };

  static constexpr unsigned kPagesBlockBits = 16;  // of no more than this

  // Bits of the pieces that a block is split into for an object of 2^wanted_bits bytes.
  [[nodiscard]] unsigned piece_bits(BlockId block, unsigned wanted_bits) const;
  [[nodiscard]] base::Expected<BlockId, MemoryError> split(BlockId block, unsigned bits);
  [[nodiscard]] BlockId new_pieces(std::uint64_t count);
  void drop_pieces(BlockId first);
  [[nodiscard]] bool make(BlockId block);
  [[nodiscard]] BlockId merge(BlockId block);
  void list(BlockId block);
  void unlist(BlockId block);
  [[nodiscard]] BlockId new_block();
  void drop_block(BlockId block);

  KernelObjects& kernel_;
  SlotAllocator& slots_;
  std::span<Block> blocks_;
  std::array<BlockId, abi::kMaxUntypedBits + 1> free_lists_{};
  BlockId unused_ = kNoBlock;
  std::uint32_t fresh_ = 0;  // entries from here on were never used
  std::uint64_t total_ = 0;
  std::uint64_t free_ = 0;
};

class UntypedAllocator::Block {
  friend UntypedAllocator;

  abi::CPtr slot = 0;
  BlockId parent = kNoBlock;
  BlockId buddy = kNoBlock;  // the next piece of its parent, round and round
  BlockId next = kNoBlock;   // in the free list of its size, or of unused entries
  BlockId previous = kNoBlock;
  std::uint8_t size_bits = 0;
  std::uint8_t pieces = 0;  // it is split into
  std::uint8_t free_pieces = 0;
  State state = State::unused;
  bool made = true;  // false: the kernel has not been asked for it yet
};

// These look into an entry, which is known only now.
inline abi::CPtr UntypedAllocator::slot(BlockId block) const {
  return blocks_[block].slot;
}
inline unsigned UntypedAllocator::size_bits(BlockId block) const {
  return blocks_[block].size_bits;
}

}  // namespace lona::manager
