// SPDX-License-Identifier: BSD-2-Clause
#include "vm/data/pool.hpp"

#include <cstring>

#include "vm/heap/shared_block.hpp"

namespace lona::vm {

PoolBytes pool_allocate(Heap& heap, std::size_t size) {
  Term blob = allocate_blob(heap, size);
  if (blob == Term::absent()) return {blob, nullptr};
  OffHeapBlock* block = blob_block(blob);
  block->used.store(size, std::memory_order_relaxed);
  return {blob, block->bytes};
}

PoolBytes pool_extend(Heap& heap, Term blob, const char* bytes, std::size_t size,
                      std::size_t extra) {
  if (!blob.is_nil() && !is_shared_block(blob_block(blob))) {
    OffHeapBlock* block = blob_block(blob);
    std::size_t end = static_cast<std::size_t>(bytes - block->bytes) + size;
    std::size_t expected = end;
    // Of several owners, in several processes even, the first one gets the place.
    if (extra <= block->capacity - end &&
        block->used.compare_exchange_strong(expected, end + extra, std::memory_order_relaxed)) {
      return {blob, const_cast<char*>(bytes)};
    }
  }
  std::size_t whole = size + extra;
  blob = allocate_blob(heap, 2 * whole);
  if (blob == Term::absent()) blob = allocate_blob(heap, whole);
  if (blob == Term::absent()) return {blob, nullptr};
  OffHeapBlock* block = blob_block(blob);
  block->used.store(whole, std::memory_order_relaxed);
  if (size != 0) std::memcpy(block->bytes, bytes, size);
  return {blob, block->bytes};
}

}  // namespace lona::vm
