// SPDX-License-Identifier: BSD-2-Clause
#include "vm/heap/arena.hpp"

#include <atomic>

#include "vm/heap/reserve.hpp"
#include "vm/platform/platform.hpp"

namespace lona::vm {

namespace {
constexpr std::size_t kFirstChunk = 16 * 1024;
constexpr std::size_t kMaxChunk = 4 * 1024 * 1024;

// Most arenas live for one small form and need one chunk: a few of these are kept for the next.
constinit std::atomic<void*> kept_chunks[4];

void* map_chunk(std::size_t bytes) {
  if (bytes == kFirstChunk) {
    for (std::atomic<void*>& kept : kept_chunks) {
      if (kept.load(std::memory_order_relaxed) == nullptr) continue;
      if (void* chunk = kept.exchange(nullptr)) return chunk;
    }
  }
  return platform::map_pages(bytes);
}

void unmap_chunk(void* chunk, std::size_t bytes) {
  if (bytes == kFirstChunk) {
    for (std::atomic<void*>& kept : kept_chunks) {
      void* none = nullptr;
      if (kept.compare_exchange_strong(none, chunk)) return;
    }
  }
  platform::unmap_pages(chunk, bytes);
}
}  // namespace

Word* Arena::refill(Heap& self, std::size_t words, bool may_use_reserve) {
  auto& arena = static_cast<Arena&>(self);
  // Chunks double, so that `owns` looks at few of them.
  std::size_t bytes = arena.mapped_ < kFirstChunk ? kFirstChunk : arena.mapped_;
  if (bytes > kMaxChunk) bytes = kMaxChunk;
  std::size_t needed = platform::whole_pages(sizeof(Chunk) + words * sizeof(Word));
  if (bytes < needed) bytes = needed;
  void* memory = map_chunk(bytes);
  if (memory == nullptr && bytes > needed) memory = platform::map_pages(bytes = needed);
  if (memory == nullptr && may_use_reserve) {
    arena.exhausted_ = true;
    memory = Reserve::take(bytes);
  }
  if (memory == nullptr) return nullptr;
  auto* chunk = static_cast<Chunk*>(memory);
  chunk->next = arena.chunks_;
  chunk->bytes = bytes;
  arena.chunks_ = chunk;
  arena.mapped_ += bytes;
  Word* first = reinterpret_cast<Word*>(chunk + 1);
  arena.top_ = first + words;
  arena.limit_ = reinterpret_cast<Word*>(static_cast<char*>(memory) + bytes);
  return first;
}

void Arena::clear() {
  off_heap_.release_all();
  while (chunks_ != nullptr) {
    Chunk* chunk = chunks_;
    chunks_ = chunk->next;
    std::size_t bytes = chunk->bytes;
    if (!Reserve::give_back(chunk)) unmap_chunk(chunk, bytes);
  }
  top_ = limit_ = nullptr;
  mapped_ = 0;
  exhausted_ = false;
}

bool Arena::owns(const Word* p) const {
  auto address = reinterpret_cast<std::uintptr_t>(p);
  for (const Chunk* c = chunks_; c != nullptr; c = c->next) {
    if (address - reinterpret_cast<std::uintptr_t>(c) < c->bytes) return true;
  }
  return false;
}

}  // namespace lona::vm
