// SPDX-License-Identifier: BSD-2-Clause
#include "vm/heap/collector.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "vm/heap/allocator.hpp"
#include "vm/heap/evacuation.hpp"
#include "vm/heap/fragment.hpp"
#include "vm/process/worker.hpp"
#include "vm/sched/state.hpp"

namespace lona::vm {

std::size_t block_size_for(std::size_t words) {
  std::size_t size = Process::kFirstBlockWords, next = 377;
  while (size < words && size < (1u << 20)) {
    std::size_t sum = size + next;
    size = next;
    next = sum;
  }
  while (size < words) size += size / 5;
  return size;
}

namespace {
// What a collection copies to.
struct Parts {
  Word* block = nullptr;
  std::size_t words = 0;
  Word* old = nullptr;  // of a major one; null when nothing can be old
  std::size_t old_words = 0;
};
}  // namespace

// A collection that has started. It owns the new parts until it is finished.
struct Collection {
  Evacuation evacuation;
  Parts parts;
  std::size_t need;
};

namespace {

// What may have to be copied at most decides whether a collection is done in slices.
constexpr std::size_t kLargeWords = 32 * 1024;
constexpr std::size_t kWordsOfSlice = 16 * 1024;
// So many minor collections may pass before what has died in the old part is looked for too.
constexpr std::uint32_t kMinorsBetweenMajors = 65'535;

// A block of `words`: the one inside the process when it fits and is free.
Word* take_block(Process& p, std::size_t words) {
  if (words <= Process::kFirstBlockWords && p.block_ != p.first_block()) return p.first_block();
  return static_cast<Word*>(allocator_of(p).allocate(words * sizeof(Word)));
}

void free_block(Process& p, Word* block, std::size_t words) {
  if (block == nullptr || block == p.first_block()) return;
  allocator_of(p).release(block, words * sizeof(Word));
}

void free_fragments(Process& p) {
  while (p.fragments_ != nullptr) {
    Fragment* f = p.fragments_;
    p.fragments_ = f->next;
    free_fragment(p, f);
  }
  p.overflow_ = nullptr;
  p.fragment_count_ = 0;
  p.fragment_words_ = 0;
}

void free_old(Process& p) {
  if (p.old_ != nullptr) allocator_of(p).release(p.old_, p.old_words() * sizeof(Word));
  p.old_ = p.old_top_ = p.old_end_ = nullptr;
}

// The lowest stack word in use.
Word* stack_floor(Process& p) {
  return p.fp_ - p.slack();
}

std::size_t stack_words(Process& p) {
  return static_cast<std::size_t>(p.block_end_ - stack_floor(p));
}
std::size_t mature_words(const Process& p) {
  return static_cast<std::size_t>(p.high_water_ - p.block_);
}
std::size_t old_used(const Process& p) {
  return static_cast<std::size_t>(p.old_top_ - p.old_);
}
// Young words that are not mature.
std::size_t fresh_words(const Process& p) {
  return static_cast<std::size_t>(p.heap_top() - p.high_water_) + p.fragment_words_;
}

bool over_limit(const Process& p, std::size_t words) {
  return p.max_heap_words_ != 0 && words > p.max_heap_words_;
}

// In the test mode of small heaps that are collected all the time; large ones would take for ever.
bool is_tight(const Process& p, std::size_t words) {
  constexpr std::size_t kMostWords = 4096;
  return state_of(p).options.tight_heaps && words + old_used(p) < kMostWords;
}

bool major_due(const Process& p) {
  return p.collect_all_ || p.minors_since_major_ >= kMinorsBetweenMajors ||
         (p.minors_since_major_ != 0 && p.off_heap().wants_major());
}

// Room in the old part for everything mature; a new old part when there is none.
bool old_has_room(Process& p) {
  std::size_t mature = mature_words(p);
  if (mature == 0) return true;
  if (p.old_ != nullptr) return mature <= static_cast<std::size_t>(p.old_end_ - p.old_top_);
  std::size_t words = block_size_for(std::max(mature * 2, p.block_words()));
  if (over_limit(p, words + p.block_words())) return false;
  p.old_ = static_cast<Word*>(allocator_of(p).allocate(words * sizeof(Word)));
  if (p.old_ == nullptr) return false;
  p.old_top_ = p.old_;
  p.old_end_ = p.old_ + words;
  return true;
}

// Words of the young part's new block. What must be copied at most is seldom what lives, so a small
// block is made as large as need be then, and copied a second time should it turn out too small or
// too large. A large one gets room for everything, and gives its end back.
std::size_t new_block_words(Process& p, std::size_t need) {
  std::size_t most = fresh_words(p) + stack_words(p);
  if (is_tight(p, most)) return most;
  if (most > kLargeWords) {
    // The size of now when it does, so that two blocks take turns and their pages stay warm.
    std::size_t all = most + need;
    bool fits = all <= p.block_words() && all > p.block_words() / 4;
    return fits ? p.block_words() : block_size_for(all / 3 * 4 + 4);
  }
  std::size_t words = block_size_for(most);
  bool much_less = words < p.block_words() && most * 2 <= p.block_words();
  return much_less ? words
                   : std::max(words, block_size_for(std::min(p.block_words(), kLargeWords)));
}

// The new parts; false without memory.
bool allocate_parts(Process& p, Kindness kind, Parts& c) {
  if (kind == Kindness::kMajor && old_used(p) + mature_words(p) != 0) {
    std::size_t most = old_used(p) + mature_words(p);
    c.old_words = p.max_heap_words_ != 0 ? block_size_for(most) : block_size_for(most + most / 4);
    c.old = static_cast<Word*>(allocator_of(p).allocate(c.old_words * sizeof(Word)));
    if (c.old == nullptr) return false;
  }
  c.block = take_block(p, c.words);
  if (c.block != nullptr) return true;
  if (c.old != nullptr) allocator_of(p).release(c.old, c.old_words * sizeof(Word));
  return false;
}

// The old part of a major collection may grow by half until the next one.
void settle_old(Process& p, const Parts& c, Word* top) {
  free_old(p);
  p.old_ = c.old;
  p.old_top_ = top;
  if (c.old == nullptr) {
    p.old_top_ = p.old_end_ = nullptr;
    return;
  }
  if (p.old_top_ == p.old_) {
    p.old_end_ = p.old_ + c.old_words;
    return free_old(p);
  }
  std::size_t wanted = old_used(p) / 2 * 3 + Process::kFirstBlockWords;
  std::size_t words =
      allocator_of(p).shrink(c.old, c.old_words * sizeof(Word), wanted * sizeof(Word)) /
      sizeof(Word);
  p.old_end_ = p.old_ + words;
}

// Everything has been copied: the new parts take the place of the old ones.
void settle(Process& p, Evacuation& e, const Parts& c) {
  e.sweep_off_heap();
  std::size_t before =
      static_cast<std::size_t>(p.heap_top() - p.block_) + p.fragment_words_ + old_used(p);
  std::size_t stack = stack_words(p);
  Word* end = c.block + c.words;
  std::memcpy(end - stack, stack_floor(p), stack * sizeof(Word));
  p.fp_ = end - (p.block_end_ - p.fp_);
  Word* old_block = p.block_;
  std::size_t old_block_words = p.block_words();
  if (e.kind() == Kindness::kMajor) {
    settle_old(p, c, e.old_top());
    p.major_collections_++;
    p.minors_since_major_ = 0;
  } else {
    p.old_top_ = e.old_top();
    p.minor_collections_++;
    p.minors_since_major_++;
  }
  p.block_ = c.block;
  p.block_end_ = end;
  p.block_top_ = nullptr;
  p.set_top(e.young_top());
  p.high_water_ = p.peeking_ ? p.block_ : e.young_top();
  free_block(p, old_block, old_block_words);
  free_fragments(p);
  std::size_t after = static_cast<std::size_t>(p.top() - p.block_) + old_used(p);
  p.reclaimed_words_ += before > after ? before - after : 0;
  p.charge(static_cast<std::uint32_t>(e.copied() / 8));
}

// A large block gives its end back: the stack moves down. False when it is not large enough, or
// holds so little that a copy of that costs less than fresh pages do next time.
bool give_end_back(Process& p, std::size_t fit) {
  std::size_t words = p.block_words();
  auto alive = static_cast<std::size_t>(p.top() - p.block_);
  if (fit >= words || p.block_ == p.first_block() || alive < words / 4) return false;
  std::size_t kept =
      Allocator::kept_by_shrink(words * sizeof(Word), fit * sizeof(Word)) / sizeof(Word);
  if (kept >= words) return false;
  std::size_t stack = stack_words(p);
  Word* end = p.block_ + kept;
  std::memmove(end - stack, stack_floor(p), stack * sizeof(Word));
  p.fp_ = end - (p.block_end_ - p.fp_);
  p.block_end_ = end;
  allocator_of(p).shrink(p.block_, words * sizeof(Word), fit * sizeof(Word));
  return true;
}

// A block of another size. This second copy is not a collection of its own: nothing ages by it.
bool move_to_block_of(Process& p, std::size_t fit, std::uint16_t live) {
  if (give_end_back(p, fit)) return true;
  Word* block = take_block(p, fit);
  if (block == nullptr) return false;
  bool peeking = p.peeking_;
  std::uint32_t minors = p.minor_collections_, since = p.minors_since_major_;
  p.high_water_ = p.block_;
  Evacuation e(p, Kindness::kMinor, block, p.old_top_);
  e.roots(live);
  e.step(~std::size_t{0});
  settle(p, e, {.block = block, .words = fit});
  p.minor_collections_ = minors;
  p.minors_since_major_ = since;
  p.high_water_ = peeking ? p.block_ : p.top();
  return true;
}

// What lives and is needed now decides the size: between a quarter and three quarters full. Beside
// a large old part the young one is larger: what dies young is seldom copied then, and what is
// copied anyway when the old part is full has come there less often.
Collected resize(Process& p, std::uint16_t live, std::size_t need) {
  auto alive = static_cast<std::size_t>(p.top() - p.block_);
  std::size_t wanted = alive + stack_words(p) + need;
  std::size_t size = p.block_words(), fit = size;
  std::size_t least = old_used(p) / 2;
  if (is_tight(p, wanted)) {
    fit = wanted + wanted / 16;
  } else if (wanted > size / 4 * 3) {
    fit = block_size_for(std::max(wanted + wanted / 3 + 1, least));
  } else if (size < least) {
    fit = block_size_for(least);
  } else if (wanted < size / 8 && least < size / 2 && size > Process::kFirstBlockWords) {
    fit = block_size_for(std::max(wanted * 3, least));
  }
  std::size_t elsewhere = p.old_words() + p.off_heap_words();
  if (over_limit(p, fit + elsewhere)) {
    fit = p.max_heap_words_ > elsewhere ? p.max_heap_words_ - elsewhere : 0;
    if (fit < wanted) {
      // What has died in the old part may make the difference.
      if (p.minors_since_major_ == 0 || p.old_ == nullptr) return Collected::kNoMemory;
      p.collect_all_ = true;
      return collect(p, live, need, Slices::kNo);
    }
    if (fit < size && wanted <= size) fit = size;
  }
  if (fit == size || move_to_block_of(p, fit, live)) return Collected::kDone;
  return wanted <= size ? Collected::kDone : Collected::kNoMemory;
}

void drop(Process& p, Collection* c) {
  p.collection_ = nullptr;
  allocator_of(p).release(c, sizeof(Collection));
}

}  // namespace

Collected collect(Process& p, std::uint16_t live, std::size_t need, Slices slices) {
  p.collect_ = false;
  Kindness kind = major_due(p) || !old_has_room(p) ? Kindness::kMajor : Kindness::kMinor;
  p.collect_all_ = false;
  Parts parts{.words = new_block_words(p, need)};
  if (!allocate_parts(p, kind, parts)) return Collected::kNoMemory;
  Evacuation e(p, kind, parts.block, kind == Kindness::kMinor ? p.old_top_ : parts.old);
  e.roots(live);

  std::size_t most =
      fresh_words(p) + mature_words(p) + (kind == Kindness::kMajor ? old_used(p) : 0);
  bool always = state_of(p).options.collect_always;  // then small ones are done in slices too
  if (slices == Slices::kYes && p.nested_ == nullptr && (most > kLargeWords || always)) {
    void* memory = allocator_of(p).allocate(sizeof(Collection));
    if (memory != nullptr) {
      p.collection_ = new (memory) Collection{e, parts, need};
      p.collection_live_ = live;
      return Collected::kUnfinished;
    }
  }
  e.step(~std::size_t{0});
  settle(p, e, parts);
  return resize(p, live, need);
}

Collected continue_collection(Process& p) {
  Collection* c = p.collection_;
  bool always = state_of(p).options.collect_always;
  if (!c->evacuation.step(always ? 1 : kWordsOfSlice)) return Collected::kUnfinished;
  settle(p, c->evacuation, c->parts);
  std::size_t need = c->need;
  drop(p, c);
  p.collected_ = true;
  return resize(p, p.collection_live_, need);
}

void each_heap_part(const Process& p, void (*f)(void*, std::span<const Word>), void* context) {
  const auto part = [&](const Word* from, const Word* to) {
    if (from < to) f(context, {from, to});
  };
  part(p.block_, p.heap_top());
  part(p.fp_ - p.slack(), p.block_end_);
  part(p.old_, p.old_top_);
  for (const Fragment* each = p.fragments_; each != nullptr; each = each->next) {
    part(each->data, each->end());
  }
  if (const Collection* c = p.collection_) {
    const Evacuation& e = c->evacuation;
    part(c->parts.block, e.young_top());
    part(e.kind() == Kindness::kMajor ? c->parts.old : p.old_, e.old_top());
  }
}

void free_heap(Process& p) {
  p.off_heap().release_all();
  if (Collection* c = p.collection_) {
    free_block(p, c->parts.block, c->parts.words);
    if (c->parts.old != nullptr) {
      allocator_of(p).release(c->parts.old, c->parts.old_words * sizeof(Word));
    }
    drop(p, c);
  }
  free_fragments(p);
  free_old(p);
  free_block(p, p.block_, p.block_words());
  p.block_ = nullptr;
}

}  // namespace lona::vm
