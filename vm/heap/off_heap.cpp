// SPDX-License-Identifier: BSD-2-Clause
#include "vm/heap/off_heap.hpp"

#include <new>

#include "vm/heap/allocator.hpp"
#include "vm/heap/heap.hpp"
#include "vm/heap/shared_block.hpp"

namespace lona::vm {

namespace {

// Blocks are freed by whichever worker drops the last reference: one pool for all, behind a lock
// that is held for a few instructions. It has no end of life.
class Pool {
 public:
  constexpr Pool() : allocator_() {}
  constexpr ~Pool() {}
  void* allocate(std::size_t bytes) {
    Guard guard(lock_);
    return allocator_.allocate(bytes);
  }
  void release(void* block, std::size_t bytes) {
    Guard guard(lock_);
    allocator_.release(block, bytes);
  }
  std::size_t used_bytes() {
    Guard guard(lock_);
    return allocator_.used_bytes();
  }
  void trim() {
    Guard guard(lock_);
    allocator_.trim();
  }

 private:
  struct Guard {
    explicit Guard(std::atomic_flag& flag) : flag(flag) {
      while (flag.test_and_set(std::memory_order_acquire)) __builtin_ia32_pause();
    }
    ~Guard() { flag.clear(std::memory_order_release); }
    std::atomic_flag& flag;
  };
  std::atomic_flag lock_;
  union {
    Allocator allocator_;
  };
};
constinit Pool pool;

}  // namespace

void trim_off_heap() {
  pool.trim();
}

OffHeapBlock* make_off_heap(std::size_t capacity) {
  void* memory = pool.allocate(sizeof(OffHeapBlock) + capacity);
  if (memory == nullptr) return nullptr;
  return new (memory) OffHeapBlock{1, capacity, 0};
}

void release_off_heap(OffHeapBlock* block) {
  const bool shared = is_shared_block(block);
  if (block->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    if (shared) return end_shared_block(block);
    end_shared_twin(block);
    pool.release(block, sizeof(OffHeapBlock) + block->capacity);
  }
}

std::size_t off_heap_bytes() {
  return pool.used_bytes();
}

void OffHeapList::release_chain(Word* chain) {
  while (chain != nullptr) {
    Word* blob = chain;
    chain = reinterpret_cast<Word*>(blob[1]);
    release_off_heap(block_of(blob));
  }
}

void OffHeapList::append(Word* chain) {
  while (chain != nullptr) {
    Word* blob = chain;
    chain = reinterpret_cast<Word*>(blob[1]);
    take(blob);
  }
}

void OffHeapList::release_all() {
  release_chain(young_);
  release_chain(old_);
  young_ = old_ = nullptr;
  bytes_ = 0;
}

Term allocate_blob(Heap& heap, std::size_t bytes) {
  OffHeapBlock* block = make_off_heap(bytes);
  if (block == nullptr) return Term::absent();
  Word* blob = heap.alloc_box(Kind::kBlob, 2);
  blob[2] = reinterpret_cast<Word>(block);
  heap.off_heap().take(blob);
  return Term::boxed(blob);
}

}  // namespace lona::vm
