// SPDX-License-Identifier: BSD-2-Clause
#include "vm/code/permanent.hpp"

#include <algorithm>

#include "vm/code/level.hpp"
#include "vm/heap/reserve.hpp"
#include "vm/platform/platform.hpp"

namespace lona::vm {

namespace {
// Chunks double: most realms need little.
constexpr std::size_t kFirstChunk = 4 * 1024;
constexpr std::size_t kMostChunk = 256 * 1024;
}  // namespace

Word* PermanentRegion::refill(Heap& self, std::size_t words, bool may_use_reserve) {
  auto& region = static_cast<PermanentRegion&>(self);
  Guard guard(region.lock_);
  return region.carve(words, may_use_reserve);
}

Word* PermanentRegion::carve(std::size_t words, bool may_use_reserve) {
  if (words <= static_cast<std::size_t>(end_ - free_)) {
    Word* first = free_;
    free_ += words;
    return first;
  }
  std::size_t needed = platform::whole_pages(words * sizeof(Word));
  std::size_t bytes = std::max(needed, std::clamp(mapped_bytes(), kFirstChunk, kMostChunk));
  void* memory = map_shared_pages(bytes);
  if (memory == nullptr && bytes > needed) memory = map_shared_pages(bytes = needed);
  if (memory == nullptr && may_use_reserve) memory = Reserve::take(bytes);
  if (memory == nullptr) return nullptr;
  mapped_.fetch_add(bytes, std::memory_order_relaxed);
  Word* first = static_cast<Word*>(memory);
  Word* end = first + bytes / sizeof(Word);
  // A large object does not waste what is left of the current chunk.
  if (end - (first + words) >= end_ - free_) {
    free_ = first + words;
    end_ = end;
  }
  return first;
}

void* PermanentRegion::raw(std::size_t bytes) {
  std::size_t words = (bytes + sizeof(Word) - 1) / sizeof(Word);
  Word* p = alloc(words);
  for (std::size_t i = 0; i < words; ++i) p[i] = 0;
  return p;
}

}  // namespace lona::vm
