// SPDX-License-Identifier: BSD-2-Clause
// Where terms are made. All code that builds terms takes a `Heap&`: a process's heap, a permanent
// region (code constants, values of vars) or an arena (forms while they are compiled).
//
// The GC rule of the whole VM: **allocation never collects and never moves anything.** When the
// bump region is full, `alloc` takes a further fragment. A process collects only at the
// interpreter's own safe points (a frame with all live terms in registers), never inside a native
// function, so C++ code may hold terms in locals from call to call without rooting them.
//
// `alloc` does not fail for small requests: when a process is over its limit or the realm is out
// of memory the fragment comes from a reserve, and the process ends with [:error :oom] as soon as
// the native returns. What may be large and depends on input (more than kLargeWords) asks
// `try_alloc` first and reports failure.
#pragma once

#include "vm/heap/off_heap.hpp"
#include "vm/term/object.hpp"

namespace lona::vm {

class Heap {
 public:
  static constexpr std::size_t kLargeWords = 4096;

  Word* alloc(std::size_t words) {
    Word* p = top_;
    if (words <= static_cast<std::size_t>(limit_ - p)) [[likely]] {
      top_ = p + words;
      return p;
    }
    return alloc_slow(words);
  }

  // Null when the memory cannot be had.
  Word* try_alloc(std::size_t words) {
    return words <= static_cast<std::size_t>(limit_ - top_) ? alloc(words) : try_alloc_slow(words);
  }

  // An object with its header written and its payload uninitialised.
  Word* alloc_box(Kind kind, std::size_t payload_words) {
    Word* p = alloc(payload_words + 1);
    p[0] = Header::make(kind, payload_words).bits();
    return p;
  }

  // The object allocated last, which ends at `end`, needs only what is below `keep`.
  void give_back(Word* keep, const Word* end) {
    if (top_ == end) top_ = keep;
  }

  Term cons(Term first, Term rest) {
    Word* p = alloc(2);
    p[0] = first.bits();
    p[1] = rest.bits();
    return Term::pair(p);
  }

  // The blocks outside of the heap that objects in it refer to.
  OffHeapList& off_heap() { return off_heap_; }
  const OffHeapList& off_heap() const { return off_heap_; }

 protected:
  Heap() = default;
  ~Heap() = default;
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  Word* alloc_slow(std::size_t words);      // a further fragment; see heap.cpp
  Word* try_alloc_slow(std::size_t words);  // null instead of the reserve

  // The subclass's way to get a fragment of at least `words`; sets top_ and limit_ when it likes.
  using Refill = Word* (*)(Heap& self, std::size_t words, bool may_use_reserve);

  Word* top_ = nullptr;
  Word* limit_ = nullptr;
  Refill refill_ = nullptr;
  OffHeapList off_heap_;
};

}  // namespace lona::vm
