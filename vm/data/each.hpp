// SPDX-License-Identifier: BSD-2-Clause
// One element after the other of anything that has elements: nil, lists, tuples, vectors, maps
// (entries as tuples [key value]), sets, strings (characters) and binaries (bytes).
#pragma once

#include "vm/data/map.hpp"
#include "vm/heap/heap.hpp"

namespace lona::vm {

// Can `Each` go through it?
bool is_seqable(Term t);
// How many elements `Each` gives.
std::size_t seqable_count(Term t);

class Each {
 public:
  // `heap` gets the tuples of a map's entries; `seqable` must be one.
  Each(Heap& heap, Term seqable);
  // False at the end.
  bool next(Term& element);

 private:
  enum class Source : std::uint8_t { kList, kWords, kVector, kEntries, kElements, kBytes, kText };
  Heap& heap_;
  Source source_ = Source::kList;
  Term term_ = Term::empty_list();
  std::size_t at_ = 0, end_ = 0;
  const Word* words_ = nullptr;  // kWords: the elements; kVector: those of the current chunk
  std::size_t words_end_ = 0;    // kVector: index behind the current chunk
  MapCursor cursor_;
};

// All elements as a list: the list itself, or a new one. `absent` when there is no memory.
Term to_list(Heap& heap, Term seqable);
Term to_vector(Heap& heap, Term seqable);
Term to_tuple(Heap& heap, Term seqable);

}  // namespace lona::vm
