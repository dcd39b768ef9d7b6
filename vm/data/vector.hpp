// SPDX-License-Identifier: BSD-2-Clause
// Persistent vectors: a trie of 32-way nodes with the last 1 to 32 elements in a tail of its own.
//
//   Vector: count << 8 | relaxed << 7 | shift, root Node or nil, tail Node or nil
//
// `shift` is 5 times the height of the root: 0 when the root is nil or a leaf. All leaves are full
// and inner nodes have as many children as they need, unless the vector is relaxed: those made by
// putting together and cutting may be (vector_tree.hpp).
//
// Append, read and replace cost O(log32 n), and append only touches the trie once in 32 times.
// Putting together and cutting cost O(log n).
#pragma once

#include <span>

#include "vm/heap/heap.hpp"

namespace lona::vm {

inline bool is_vector(Term t) {
  return is_kind(t, Kind::kVector);
}
inline std::size_t vector_count(Term v) {
  return payload(v)[0] >> 8;
}

// Pointer to the elements of the leaf (or tail) that holds `index`, and how many follow from
// `index` on in it. index < count.
std::span<const Word> vector_chunk(Term v, std::size_t index);

inline Term vector_get(Term v, std::size_t index) {
  return Term::from_bits(vector_chunk(v, index)[0]);
}

Term empty_vector(Heap& heap);
Term vector_append(Heap& heap, Term v, Term element);
// index < count
Term vector_put(Heap& heap, Term v, std::size_t index, Term element);
Term vector_concat(Heap& heap, Term a, Term b);
// Elements [begin, end); 0 <= begin <= end <= count
Term vector_slice(Heap& heap, Term v, std::size_t begin, std::size_t end);
Term make_vector(Heap& heap, std::span<const Term> elements);

// Builds a vector front to back, each node once. After a failed allocation `take` is `absent`.
class VectorBuilder {
 public:
  explicit VectorBuilder(Heap& heap) : heap_(heap) {}
  void add(Term t) {
    if (tail_count_ == 32) flush_tail();
    tail_[tail_count_++] = t.bits();
    count_++;
  }
  Term take();
  bool failed() const { return failed_; }

 private:
  static constexpr unsigned kMaxHeight = 7;  // 32^7 leaves
  Term node(const Word* children, unsigned count);
  void flush_tail();
  void add_child(unsigned height, Term child);

  Heap& heap_;
  std::size_t count_ = 0;
  unsigned tail_count_ = 0;
  bool failed_ = false;
  Word tail_[32];
  // Unfinished nodes: level h collects nodes of height h.
  unsigned height_ = 0;  // levels in use
  unsigned level_count_[kMaxHeight];
  Word levels_[kMaxHeight][32];
};

}  // namespace lona::vm
