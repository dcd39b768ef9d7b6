// SPDX-License-Identifier: BSD-2-Clause
#include "vm/number/multiprecision.hpp"

#include <cstring>

#include "vm/platform/platform.hpp"

namespace lona::vm {

namespace {

struct Block {
  Block* next;
  Block** link;  // what points here
  std::size_t bytes;
  std::size_t unused;  // keeps the space behind aligned to 16
};

// One run of mpn functions; the thread's slot points to it.
struct WorkSpace {
  void* jump[5];  // __builtin_setjmp
  Block* blocks = nullptr;

  void release_all() {
    while (blocks != nullptr) {
      Block* b = blocks;
      blocks = b->next;
      platform::unmap_pages(b, b->bytes);
    }
  }
};

void* allocate(std::size_t size) {
  auto* space = static_cast<WorkSpace*>(platform::thread_slot());
  if (space == nullptr) platform::panic("GMP asks for memory outside of a work space");
  std::size_t bytes = platform::whole_pages(size + sizeof(Block));
  auto* block = static_cast<Block*>(platform::map_pages(bytes));
  if (block == nullptr) {
    space->release_all();
    __builtin_longjmp(space->jump, 1);
  }
  *block = {space->blocks, &space->blocks, bytes, 0};
  if (block->next != nullptr) block->next->link = &block->next;
  space->blocks = block;
  return block + 1;
}

void release(void* p, std::size_t) {
  Block* block = static_cast<Block*>(p) - 1;
  *block->link = block->next;
  if (block->next != nullptr) block->next->link = block->link;
  platform::unmap_pages(block, block->bytes);
}

void* reallocate(void* old, std::size_t old_size, std::size_t size) {
  void* p = allocate(size);
  std::memcpy(p, old, old_size < size ? old_size : size);
  release(old, old_size);
  return p;
}

}  // namespace

// Not inlined: a function that is jumped back into keeps nothing in registers.
__attribute__((noinline)) bool run_in_work_space(void (*work)(void*), void* context) {
  WorkSpace space;
  mp_set_memory_functions(allocate, reallocate, release);
  platform::thread_slot() = &space;
  bool done = false;
  if (__builtin_setjmp(space.jump) == 0) {
    work(context);
    done = true;
  }
  platform::thread_slot() = nullptr;
  return done;
}

Scratch::Scratch(std::size_t limbs) {
  if (limbs <= kInline) return;
  bytes_ = platform::whole_pages(limbs * sizeof(Limb));
  data_ = static_cast<Limb*>(platform::map_pages(bytes_));
}

Scratch::~Scratch() {
  if (data_ != inline_ && data_ != nullptr) platform::unmap_pages(data_, bytes_);
}

}  // namespace lona::vm
