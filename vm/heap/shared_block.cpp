// SPDX-License-Identifier: BSD-2-Clause
#include "vm/heap/shared_block.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

#include "vm/heap/heap.hpp"
#include "vm/sched/lock.hpp"

namespace lona::vm {

namespace {

// Written under the lock. Who has a reference to a block, which is in the table then, looks
// without.
struct Places {
  SpinLock lock;
  std::atomic<unsigned> count{0};
  std::array<std::atomic<OffHeapBlock*>, platform::kBinaryPlaces> blocks{};
};
constinit Places places;

// The caller holds the lock, and has made the block for a window.
void put_down(OffHeapBlock* block, std::uint64_t number, std::uint32_t place, std::size_t size) {
  // As the process's memory is counted; and nothing can be appended.
  block->capacity = size;
  block->used.store(size, std::memory_order_relaxed);
  new (block->bytes) SharedWindow{.number = number,
                                  .start = platform::binary_window(place),
                                  .size = size,
                                  .place = place,
                                  .twin_of = nullptr,
                                  .source = nullptr};
  places.blocks[place].store(block, std::memory_order_relaxed);
  places.count.fetch_add(1, std::memory_order_relaxed);
}

// The caller holds the lock.
OffHeapBlock* twin_of(const OffHeapBlock* block) {
  for (const auto& place : places.blocks) {
    OffHeapBlock* shared = place.load(std::memory_order_relaxed);
    if (shared != nullptr && SharedWindow::of(shared).twin_of == block) return shared;
  }
  return nullptr;
}

}  // namespace

bool is_shared_block(const OffHeapBlock* block) {
  if (block->capacity < platform::kLeastBinary ||
      places.count.load(std::memory_order_relaxed) == 0) {
    return false;
  }
  return std::ranges::any_of(places.blocks, [block](const auto& place) {
    return place.load(std::memory_order_relaxed) == block;
  });
}

OffHeapBlock* make_shared_block(std::uint32_t realm, std::string_view bytes) {
  OffHeapBlock* block = make_off_heap(sizeof(SharedWindow));
  if (block == nullptr) return nullptr;
  std::size_t dirty = 0;
  bool refused = false;
  {
    Guard guard(places.lock);
    const platform::SharedBinary made = platform::make_binary(realm, bytes.size());
    if (made.error == platform::RealmError::kNone) {
      dirty = made.dirty;
      put_down(block, made.number, made.place, bytes.size());
    }
    refused = made.error != platform::RealmError::kNone;
  }
  if (refused) {
    release_off_heap(block);
    return nullptr;
  }
  char* window = platform::binary_window(SharedWindow::of(block).place);
  std::memcpy(window, bytes.data(), bytes.size());
  // Others see what is behind, too; this realm has written it for somebody else.
  if (dirty > bytes.size()) std::memset(window + bytes.size(), 0, dirty - bytes.size());
  return block;
}

TakenBlock take_shared_block(std::uint64_t number, std::uint32_t from) {
  OffHeapBlock* fresh = make_off_heap(sizeof(SharedWindow));
  if (fresh == nullptr) return {nullptr, true};
  platform::SharedBinary taken;
  OffHeapBlock* block = nullptr;
  {
    Guard guard(places.lock);
    taken = platform::take_binary(number, from);
    if (taken.error == platform::RealmError::kNone) {
      block = places.blocks[taken.place].load(std::memory_order_relaxed);
      if (block != nullptr) {
        block->references.fetch_add(1, std::memory_order_relaxed);
      } else {
        block = fresh;
        put_down(block, number, taken.place, taken.bytes);
      }
    }
  }
  if (block != fresh) release_off_heap(fresh);
  // A lack is no fault of who sent it.
  return {block, block == nullptr && taken.error != platform::RealmError::kNoSuchRegion};
}

OffHeapBlock* shared_twin(const OffHeapBlock* block, std::string_view bytes) {
  Guard guard(places.lock);
  OffHeapBlock* twin = twin_of(block);
  if (twin == nullptr) return nullptr;
  const SharedWindow& window = SharedWindow::of(twin);
  const auto offset = static_cast<std::size_t>(bytes.data() - window.source);
  const bool inside = bytes.data() >= window.source && offset <= window.size &&
                      bytes.size() <= window.size - offset;
  return inside ? twin : nullptr;
}

void set_shared_twin(OffHeapBlock* block, OffHeapBlock* twin) {
  end_shared_twin(block);
  Guard guard(places.lock);
  SharedWindow::of(twin).twin_of = block;
}

void end_shared_twin(const OffHeapBlock* block) {
  if (block->capacity < platform::kLeastBinary ||
      places.count.load(std::memory_order_relaxed) == 0) {
    return;
  }
  OffHeapBlock* twin = nullptr;
  {
    Guard guard(places.lock);
    twin = twin_of(block);
    if (twin != nullptr) SharedWindow::of(twin).twin_of = nullptr;
  }
  if (twin != nullptr) release_off_heap(twin);
}

// Of several that have given up a last reference one frees the block, and the others do not find it
// any more: so its place is looked for, without looking at the block.
void end_shared_block(OffHeapBlock* block) {
  {
    Guard guard(places.lock);
    const auto place = std::ranges::find_if(places.blocks, [block](const auto& one) {
      return one.load(std::memory_order_relaxed) == block;
    });
    if (place == places.blocks.end() || block->references.load(std::memory_order_acquire) != 0) {
      return;
    }
    place->store(nullptr, std::memory_order_relaxed);
    places.count.fetch_sub(1, std::memory_order_relaxed);
    platform::drop_binary(SharedWindow::of(block).number, platform::kNoRealm);
  }
  block->capacity = sizeof(SharedWindow);
  block->references.store(1, std::memory_order_relaxed);
  release_off_heap(block);
}

Term shared_blob(Heap& heap, OffHeapBlock* block) {
  Word* blob = heap.alloc_box(Kind::kBlob, 2);
  blob[2] = reinterpret_cast<Word>(block);
  block->references.fetch_add(1, std::memory_order_relaxed);
  heap.off_heap().take(blob);
  return Term::boxed(blob);
}

Term binary_in_block(Heap& heap, OffHeapBlock* block, const std::uint8_t* bytes, std::size_t size) {
  const Term blob = shared_blob(heap, block);
  Word* box = heap.alloc_box(Kind::kSlice, 3);
  box[1] = size;
  box[2] = reinterpret_cast<Word>(bytes);
  box[3] = blob.bits();
  return Term::boxed(box);
}

Term text_in_block(Heap& heap, OffHeapBlock* block, std::string_view valid_text,
                   std::size_t count) {
  const Term blob = shared_blob(heap, block);
  Word* box = heap.alloc_box(Kind::kText, 4);
  box[1] = valid_text.size();
  box[2] = count;
  box[3] = reinterpret_cast<Word>(valid_text.data());
  box[4] = blob.bits();
  return Term::boxed(box);
}

}  // namespace lona::vm
