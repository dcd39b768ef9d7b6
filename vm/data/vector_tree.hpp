// SPDX-License-Identifier: BSD-2-Clause
// The tries of vectors, also such that were put together or cut: relaxed radix balanced trees after
// Bagwell and Rompf, "RRB-Trees: Efficient Immutable Vectors" (2011). For vector*.cpp only.
//
//   Node: 0; children                   all but the last child are full
//   Node: 1; children, ends             others: `ends` is a Tuple with the number of elements up to
//                                       the end of each child
//
// `shift` of a node is 5 times its height; leaves have 0, and elements as children. No node is
// empty. Where a seam was, neighbours are evened out until at most kSpareNodes more are there than
// need be, so that the height stays logarithmic.
#pragma once

#include <span>

#include "vm/heap/heap.hpp"

namespace lona::vm::tree {

inline constexpr unsigned kBits = 5;
inline constexpr std::size_t kWidth = 32;
inline constexpr std::size_t kMask = kWidth - 1;

inline bool is_relaxed(Term node) {
  return payload(node)[0] != 0;
}
inline std::size_t children_of(Term node) {
  return header_of(node).words() - 1 - payload(node)[0];
}
inline Word* children(Term node) {
  return payload(node) + 1;
}
inline Term child_of(Term node, std::size_t at) {
  return Term::from_bits(children(node)[at]);
}

// Elements below a node.
std::size_t size_of(Term node, unsigned shift);
// Child in which element `index` is; `index` becomes the one inside of that child.
std::size_t find_child(Term node, unsigned shift, std::size_t& index);

Term make_leaf(Heap& heap, const Word* elements, std::size_t count);
// An inner node, relaxed if need be.
Term make_inner(Heap& heap, unsigned shift, std::span<const Word> nodes);
// `node` with one child replaced by one of the same size.
Term with_child(Heap& heap, Term node, std::size_t at, Term child);

// A trie; `root` is nil when there is nothing in it.
struct Tree {
  Term root;
  unsigned shift;
};
Tree with_leaf(Heap& heap, Tree tree, Term leaf);
Tree joined(Heap& heap, Tree left, Tree right);
// The first `count` elements, which are those of whole leaves; without the first `count` elements.
Tree first_part(Heap& heap, Tree tree, std::size_t count);
Tree without_first(Heap& heap, Tree tree, std::size_t count);

}  // namespace lona::vm::tree
