// SPDX-License-Identifier: BSD-2-Clause
// Lists and tuples, and the building of both.
#pragma once

#include <span>

#include "vm/heap/heap.hpp"

namespace lona::vm {

inline bool is_tuple(Term t) {
  return is_kind(t, Kind::kTuple);
}
inline std::size_t tuple_count(Term t) {
  return header_of(t).words();
}

// `absent` when there is no memory.
Term make_tuple(Heap& heap, std::span<const Term> elements);
inline Term make_pair_tuple(Heap& heap, Term a, Term b) {
  Word* p = heap.alloc_box(Kind::kTuple, 2);
  p[1] = a.bits();
  p[2] = b.bits();
  return Term::boxed(p);
}

// Payload of a fresh tuple of `count` elements for the caller to fill at once; null: no memory.
Word* allocate_tuple(Heap& heap, std::size_t count);
inline Term tuple_of_payload(Word* elements) {
  return Term::boxed(elements - 1);
}

Term make_list(Heap& heap, std::span<const Term> elements, Term tail = Term::empty_list());

// Number of elements of a proper list.
std::size_t list_count(Term list);

// Builds a list front to back. After a failed allocation `add` does nothing and `take` is `absent`.
class ListBuilder {
 public:
  explicit ListBuilder(Heap& heap) : heap_(heap) {}
  void add(Term t) {
    Word* cell = take_cell();
    if (cell == nullptr) return;
    cell[0] = t.bits();
    cell[1] = Term::empty_list().bits();
    if (last_ == nullptr) {
      first_ = cell;
    } else {
      last_[1] = Term::pair(cell).bits();
    }
    last_ = cell;
    count_++;
  }
  // The list so far, with `tail` behind it. Ends the building.
  Term take(Term tail = Term::empty_list()) {
    if (failed_) return Term::absent();
    if (last_ == nullptr) return tail;
    last_[1] = tail.bits();
    return Term::pair(first_);
  }
  std::size_t count() const { return count_; }
  bool failed() const { return failed_; }

 private:
  Word* take_cell();

  Heap& heap_;
  Word* first_ = nullptr;
  Word* last_ = nullptr;
  std::size_t count_ = 0;
  bool failed_ = false;
};

}  // namespace lona::vm
