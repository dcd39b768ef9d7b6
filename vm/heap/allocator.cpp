// SPDX-License-Identifier: BSD-2-Clause
#include "vm/heap/allocator.hpp"

#include <algorithm>
#include <bit>

#include "vm/platform/platform.hpp"

namespace lona::vm {

namespace {
// Carriers are of few sizes, so that an empty one may serve many classes: those that hold a few
// blocks, not too small once the allocator has given out so much, and large after still more.
constexpr std::size_t kLeastCarrier = 4 * 1024;
constexpr std::size_t kLeastUntil = 64 * 1024;
constexpr std::size_t kUsualCarrier = 16 * 1024;
constexpr std::size_t kSmallUntil = 1024 * 1024;
constexpr std::size_t kFewBlocks = 3;
constexpr std::size_t kMostKept = 256 * 1024 * 1024;
}  // namespace

unsigned Allocator::class_of(std::size_t bytes) {
  if (bytes <= 128) return static_cast<unsigned>((bytes + 15) / 16) - (bytes == 0 ? 0 : 1);
  // Between 2^k (exclusive) and 2^(k+1): steps of 2^(k-4).
  unsigned k = static_cast<unsigned>(std::bit_width(bytes - 1)) - 1;
  return 8 + (k - 7) * 16 + static_cast<unsigned>((bytes - 1 - (std::size_t{1} << k)) >> (k - 4));
}

std::size_t Allocator::class_bytes(unsigned c) {
  if (c < 8) return (c + 1) * 16;
  unsigned k = 7 + (c - 8) / 16;
  return (std::size_t{1} << k) + ((c - 8) % 16 + 1) * (std::size_t{1} << (k - 4));
}

void Allocator::link(Carrier* c) {
  Carrier*& head = open_[c->size_class];
  c->previous = nullptr;
  c->next = head;
  if (head != nullptr) head->previous = c;
  head = c;
}

void Allocator::unlink(Carrier* c) {
  if (c->previous != nullptr) {
    c->previous->next = c->next;
  } else {
    open_[c->size_class] = c->next;
  }
  if (c->next != nullptr) c->next->previous = c->previous;
}

std::size_t Allocator::bytes_of(const Carrier* c) {
  return static_cast<std::size_t>(c->end - reinterpret_cast<const char*>(c));
}

// An empty carrier of that kind, or a larger one.
Allocator::Carrier* Allocator::take_spare(unsigned kind) {
  while (kind < kKinds && spare_[kind] == nullptr) kind++;
  if (kind == kKinds) return nullptr;
  Carrier* c = spare_[kind];
  spare_[kind] = c->next;
  spare_bytes_ -= bytes_of(c);
  return c;
}

Allocator::Carrier* Allocator::add_carrier(unsigned size_class) {
  unsigned kind = kKinds - 1;
  if (used_bytes() < kSmallUntil) {
    const std::size_t least = used_bytes() < kLeastUntil ? kLeastCarrier : kUsualCarrier;
    const std::size_t wanted =
        std::max(least, sizeof(Carrier) + kFewBlocks * class_bytes(size_class));
    for (kind = 0; kLeastCarrier << kind < wanted;) kind++;
  }
  std::size_t bytes = kLeastCarrier << kind;
  void* memory = nullptr;
  if (Carrier* spare = take_spare(kind)) {
    bytes = bytes_of(spare);
    memory = spare;
  } else {
    memory = platform::map_pages(bytes);
  }
  if (memory == nullptr) {
    trim();
    memory = platform::map_pages(bytes);
    if (memory == nullptr) return nullptr;
  }
  auto* c = static_cast<Carrier*>(memory);
  c->free = nullptr;
  c->fresh = reinterpret_cast<char*>(c + 1);
  c->end = static_cast<char*>(memory) + bytes;
  c->used = 0;
  c->size_class = size_class;
  c->owner = this;
  link(c);
  return c;
}

void* Allocator::allocate(std::size_t bytes) {
  if constexpr (kCanFail) {
    if (fail_in_ != 0 && --fail_in_ == 0) return nullptr;
  }
  std::size_t whole = bytes + sizeof(Carrier*);
  if (whole > kMaxSmall) return allocate_large(bytes);
  unsigned size_class = class_of(whole);
  Carrier* c = open_[size_class];
  if (c == nullptr && sent_home_.load(std::memory_order_relaxed) != nullptr) {
    take_home();
    c = open_[size_class];
  }
  if (c == nullptr) {
    c = add_carrier(size_class);
    if (c == nullptr) return nullptr;
  }
  std::size_t block_bytes = class_bytes(size_class);
  void* block = c->free;
  if (block != nullptr) {
    c->free = *static_cast<void**>(block);
  } else {
    block = c->fresh + sizeof(Carrier*);
    *reinterpret_cast<Carrier**>(c->fresh) = c;
    c->fresh += block_bytes;
  }
  c->used++;
  add_used(block_bytes);
  if (c->free == nullptr && c->fresh + block_bytes > c->end) unlink(c);
  return block;
}

void Allocator::release(void* block, std::size_t bytes) {
  std::size_t whole = bytes + sizeof(Carrier*);
  if (whole > kMaxSmall) return release_large(block, bytes);
  Carrier* c = static_cast<Carrier**>(block)[-1];
  if (c->owner == this) return release_own(c, block);
  std::atomic<void*>& list = c->owner->sent_home_;
  void* head = list.load(std::memory_order_relaxed);
  do {
    *static_cast<void**>(block) = head;
  } while (!list.compare_exchange_weak(head, block, std::memory_order_release,
                                       std::memory_order_relaxed));
}

void Allocator::take_home() {
  void* block = sent_home_.exchange(nullptr, std::memory_order_acquire);
  while (block != nullptr) {
    void* next = *static_cast<void**>(block);
    release_own(static_cast<Carrier**>(block)[-1], block);
    block = next;
  }
}

void Allocator::release_own(Carrier* c, void* block) {
  std::size_t block_bytes = class_bytes(c->size_class);
  bool was_full = c->free == nullptr && c->fresh + block_bytes > c->end;
  *static_cast<void**>(block) = c->free;
  c->free = block;
  c->used--;
  add_used(0 - block_bytes);
  if (was_full) link(c);
  if (c->used == 0) give_up(c);
}

// An empty carrier goes back unless it is the last open one of its class; a few are kept, as their
// pages are costly to get again.
void Allocator::give_up(Carrier* c) {
  if (c->next == nullptr && c->previous == nullptr) return;
  unlink(c);
  const std::size_t bytes = bytes_of(c);
  if (spare_bytes_ + bytes > most_kept()) {
    return platform::unmap_pages(c, bytes);
  }
  spare_bytes_ += bytes;
  Carrier*& list = spare_[std::countr_zero(bytes / kLeastCarrier)];
  c->next = list;
  list = c;
}

// What is kept of each kind is at most an eighth of the realm's memory.
std::size_t Allocator::most_kept() {
  std::size_t most = platform::memory_figures().limit / 8;
  return most < kMostKept ? most : kMostKept;
}

std::size_t Allocator::large_bytes(std::size_t bytes) {
  unsigned k = static_cast<unsigned>(std::bit_width(bytes - 1)) - 1;
  std::size_t step = std::size_t{1} << (k - 3);
  if (step < platform::kPageSize) step = platform::kPageSize;
  return (bytes + step - 1) & ~(step - 1);
}

std::size_t Allocator::kept_by_shrink(std::size_t bytes, std::size_t wanted) {
  if (bytes + sizeof(Carrier*) <= kMaxSmall) return bytes;
  std::size_t kept = large_bytes(std::max(wanted, 2 * kMaxSmall));
  return kept <= large_bytes(bytes) / 4 * 3 ? kept : bytes;
}

std::size_t Allocator::shrink(void* block, std::size_t bytes, std::size_t wanted) {
  std::size_t kept = kept_by_shrink(bytes, wanted);
  if (kept == bytes) return bytes;
  std::size_t end = large_bytes(bytes) - kept;
  add_used(0 - end);
  keep(static_cast<char*>(block) + kept, end);
  return kept;
}

// Pages of the smallest kept piece that has so many; null when none has.
void* Allocator::take_kept(std::size_t bytes) {
  Kept* best = nullptr;
  for (Kept& kept : kept_) {
    if (kept.bytes >= bytes && (best == nullptr || kept.bytes < best->bytes)) best = &kept;
  }
  if (best == nullptr) return nullptr;
  void* p = best->address;
  best->address += bytes;
  best->bytes -= bytes;
  kept_bytes_ -= bytes;
  return p;
}

// Keeps pages for later, as one piece with kept ones beside them: a block is often cut when it has
// been filled, and is wanted in its first size again after it has been released.
void Allocator::keep(void* pages, std::size_t bytes) {
  kept_bytes_ += bytes;
  Kept piece{static_cast<char*>(pages), bytes};
  for (Kept& kept : kept_) {
    if (kept.bytes == 0) continue;
    if (kept.address + kept.bytes == piece.address) {
      piece = {kept.address, kept.bytes + piece.bytes};
      kept = {};
    } else if (piece.address + piece.bytes == kept.address) {
      piece.bytes += kept.bytes;
      kept = {};
    }
  }
  // Some piece has to go when there are too many.
  auto* slot = std::ranges::find(kept_, std::size_t{0}, &Kept::bytes);
  if (slot == std::end(kept_)) slot = &kept_[kept_next_++ % kKept];
  drop(*slot);
  *slot = piece;
  std::size_t most = most_kept();
  for (unsigned i = 0; kept_bytes_ > most && i < kKept; ++i) drop(kept_[kept_next_++ % kKept]);
}

void Allocator::drop(Kept& kept) {
  if (kept.bytes != 0) platform::unmap_pages(kept.address, kept.bytes);
  kept_bytes_ -= kept.bytes;
  kept = {};
}

void* Allocator::allocate_large(std::size_t bytes) {
  bytes = large_bytes(bytes);
  if (void* kept = take_kept(bytes)) {
    add_used(bytes);
    return kept;
  }
  void* p = platform::map_pages(bytes);
  if (p == nullptr) {
    trim();
    p = platform::map_pages(bytes);
    if (p == nullptr) return nullptr;
  }
  add_used(bytes);
  return p;
}

void Allocator::release_large(void* block, std::size_t bytes) {
  bytes = large_bytes(bytes);
  add_used(0 - bytes);
  keep(block, bytes);
}

void Allocator::trim() {
  take_home();
  for (Kept& kept : kept_) drop(kept);
  while (Carrier* c = take_spare(0)) platform::unmap_pages(c, bytes_of(c));
  for (Carrier*& head : open_) {
    for (Carrier* c = head; c != nullptr;) {
      Carrier* next = c->next;
      if (c->used == 0) {
        unlink(c);
        platform::unmap_pages(c, bytes_of(c));
      }
      c = next;
    }
  }
}

}  // namespace lona::vm
