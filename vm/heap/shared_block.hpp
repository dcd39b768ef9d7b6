// SPDX-License-Identifier: BSD-2-Clause
// Blocks whose bytes are a binary that several realms share (platform/shared_binaries.hpp): nobody
// can write them, and the VM maps a binary once, however many values are in it. The block is freed
// like any other, with the last reference; the manager is told then.
//
// A block of this realm's own may have a shared twin: a copy of some of its bytes, made when a
// value in it was sent. It is kept as long as the block is, so what is sent again is not copied.
//
// All shared blocks are in one small table. They are known by being there, so other blocks cost
// nothing more; and a block that has become too small to be shared needs no look.
#pragma once

#include <string_view>

#include "vm/heap/off_heap.hpp"
#include "vm/platform/shared_binaries.hpp"

namespace lona::vm {

// What a shared block has instead of bytes.
struct SharedWindow {
  std::uint64_t number;
  const char* start;
  std::size_t size;
  std::uint32_t place;
  OffHeapBlock* twin_of;  // null: of none
  const char* source;     // of a twin: where its bytes were copied from

  static SharedWindow& of(OffHeapBlock* block) {
    return *reinterpret_cast<SharedWindow*>(block->bytes);
  }
};

// The caller has a reference to the block.
bool is_shared_block(const OffHeapBlock* block);
// A new one with these bytes, to be given to that realm, and one reference; null: it cannot be had.
OffHeapBlock* make_shared_block(std::uint32_t realm, std::string_view bytes);
// One that the other realm has given to this one, with a reference.
struct TakenBlock {
  OffHeapBlock* block;
  bool no_memory;  // why there is none, and it can still be taken; otherwise it was never given
};
TakenBlock take_shared_block(std::uint64_t number, std::uint32_t from);
// The twin that has these bytes of the block, or null; and a new one instead of what was it, whose
// reference goes to the block.
OffHeapBlock* shared_twin(const OffHeapBlock* block, std::string_view bytes);
void set_shared_twin(OffHeapBlock* block, OffHeapBlock* twin);

// For release_off_heap. The last reference to a shared block may have been given up: it is freed,
// unless it was found meanwhile by who takes it again.
void end_shared_block(OffHeapBlock* block);
// A block that is not shared goes.
void end_shared_twin(const OffHeapBlock* block);

// A Blob in the heap, with a reference of its own; and values in that block.
Term shared_blob(Heap& heap, OffHeapBlock* block);
Term binary_in_block(Heap& heap, OffHeapBlock* block, const std::uint8_t* bytes, std::size_t size);
Term text_in_block(Heap& heap, OffHeapBlock* block, std::string_view valid_text, std::size_t count);

}  // namespace lona::vm
