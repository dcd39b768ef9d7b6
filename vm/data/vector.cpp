// SPDX-License-Identifier: BSD-2-Clause
#include "vm/data/vector.hpp"

#include <cstring>

#include "vm/data/vector_tree.hpp"

namespace lona::vm {

namespace {

using namespace tree;

constexpr Word kRelaxed = 0x80;

unsigned shift_of(Term v) {
  return payload(v)[0] & 0x7f;
}
bool is_relaxed_vector(Term v) {
  return (payload(v)[0] & kRelaxed) != 0;
}
Term root_of(Term v) {
  return slot(v, 1);
}
Tree tree_of(Term v) {
  return {root_of(v), shift_of(v)};
}
Term tail_of(Term v) {
  return slot(v, 2);
}
std::size_t tail_count(Term v) {
  return tail_of(v).is_nil() ? 0 : children_of(tail_of(v));
}
std::size_t tail_start(Term v) {
  return vector_count(v) - tail_count(v);
}

Term make(Heap& heap, std::size_t count, unsigned shift, Term root, Term tail, Word relaxed = 0) {
  Word* p = heap.alloc_box(Kind::kVector, 3);
  p[1] = count << 8 | relaxed | shift;
  p[2] = root.bits();
  p[3] = tail.bits();
  return Term::boxed(p);
}

// Of any trie; the tail is nil only when there are no elements.
Term make(Heap& heap, Tree trie, Term tail) {
  if (tail.is_nil()) return empty_vector(heap);
  if (trie.root.is_nil()) return make(heap, children_of(tail), 0, Term::nil(), tail);
  std::size_t size = size_of(trie.root, trie.shift);
  bool relaxed = is_relaxed(trie.root) || size % kWidth != 0;
  return make(heap, size + children_of(tail), trie.shift, trie.root, tail, relaxed ? kRelaxed : 0);
}

Term put_in(Heap& heap, Term node, unsigned shift, std::size_t index, Term element) {
  if (shift == 0) return with_child(heap, node, index, element);
  std::size_t at = find_child(node, shift, index);
  return with_child(heap, node, at,
                    put_in(heap, child_of(node, at), shift - kBits, index, element));
}

std::span<const Word> relaxed_chunk(Term v, std::size_t index) {
  Term node = root_of(v);
  for (unsigned shift = shift_of(v); shift > 0; shift -= kBits) {
    std::size_t at = find_child(node, shift, index);
    node = child_of(node, at);
  }
  return {children(node) + index, children_of(node) - index};
}

}  // namespace

std::span<const Word> vector_chunk(Term v, std::size_t index) {
  std::size_t start = tail_start(v);
  if (index >= start) {
    return {children(tail_of(v)) + (index - start), vector_count(v) - index};
  }
  if (is_relaxed_vector(v)) [[unlikely]]
    return relaxed_chunk(v, index);
  Term node = root_of(v);
  for (unsigned shift = shift_of(v); shift > 0; shift -= kBits) {
    node = Term::from_bits(children(node)[(index >> shift) & kMask]);
  }
  return {children(node) + (index & kMask), kWidth - (index & kMask)};
}

Term empty_vector(Heap& heap) {
  return make(heap, 0, 0, Term::nil(), Term::nil());
}

Term vector_append(Heap& heap, Term v, Term element) {
  std::size_t in_tail = tail_count(v);
  Word elements[kWidth];
  if (in_tail == kWidth) {
    elements[0] = element.bits();
    return make(heap, with_leaf(heap, tree_of(v), tail_of(v)), make_leaf(heap, elements, 1));
  }
  if (in_tail != 0) std::memcpy(elements, children(tail_of(v)), in_tail * sizeof(Word));
  elements[in_tail] = element.bits();
  Term tail = make_leaf(heap, elements, in_tail + 1);
  return make(heap, vector_count(v) + 1, shift_of(v), root_of(v), tail, payload(v)[0] & kRelaxed);
}

Term vector_put(Heap& heap, Term v, std::size_t index, Term element) {
  std::size_t n = vector_count(v), start = tail_start(v);
  if (index < start) {
    Term root = put_in(heap, root_of(v), shift_of(v), index, element);
    return make(heap, n, shift_of(v), root, tail_of(v), payload(v)[0] & kRelaxed);
  }
  Term tail = with_child(heap, tail_of(v), index - start, element);
  return make(heap, n, shift_of(v), root_of(v), tail, payload(v)[0] & kRelaxed);
}

Term vector_concat(Heap& heap, Term a, Term b) {
  if (vector_count(a) == 0) return b;
  if (vector_count(b) == 0) return a;
  if (!root_of(b).is_nil()) {
    Tree left = with_leaf(heap, tree_of(a), tail_of(a));
    return make(heap, joined(heap, left, tree_of(b)), tail_of(b));
  }
  // Few elements: they go into the tail as if appended.
  Word both[2 * kWidth];
  std::size_t first = tail_count(a), all = first + tail_count(b);
  std::memcpy(both, children(tail_of(a)), first * sizeof(Word));
  std::memcpy(both + first, children(tail_of(b)), (all - first) * sizeof(Word));
  if (all <= kWidth) return make(heap, tree_of(a), make_leaf(heap, both, all));
  Tree trie = with_leaf(heap, tree_of(a), make_leaf(heap, both, kWidth));
  return make(heap, trie, make_leaf(heap, both + kWidth, all - kWidth));
}

Term vector_slice(Heap& heap, Term v, std::size_t begin, std::size_t end) {
  if (begin == end) return empty_vector(heap);
  if (begin == 0 && end == vector_count(v)) return v;
  // The leaf with the last element becomes the tail; what is in front of it stays in the trie.
  std::size_t start = tail_start(v);
  std::span<const Word> leaf;
  if (start < end) {
    leaf = {children(tail_of(v)), end - start};
  } else {
    Term node = root_of(v);
    std::size_t at = end - 1;
    for (unsigned shift = shift_of(v); shift > 0; shift -= kBits) {
      std::size_t child = find_child(node, shift, at);
      node = child_of(node, child);
    }
    leaf = {children(node), at + 1};
    start = end - leaf.size();
  }
  std::size_t skipped = begin > start ? begin - start : 0;
  Term tail = make_leaf(heap, leaf.data() + skipped, leaf.size() - skipped);
  Tree trie = first_part(heap, tree_of(v), start);
  return make(heap, without_first(heap, trie, begin), tail);
}

Term make_vector(Heap& heap, std::span<const Term> elements) {
  VectorBuilder builder(heap);
  for (Term t : elements) builder.add(t);
  return builder.take();
}

Term VectorBuilder::node(const Word* from, unsigned count) {
  Word* p = count_ < Heap::kLargeWords ? heap_.alloc(count + 2) : heap_.try_alloc(count + 2);
  if (p == nullptr) {
    failed_ = true;
    return Term::nil();
  }
  p[0] = Header::make(Kind::kNode, count + 1).bits();
  p[1] = 0;
  std::memcpy(p + 2, from, count * sizeof(Word));
  return Term::boxed(p);
}

void VectorBuilder::add_child(unsigned height, Term child) {
  if (height == height_) {
    level_count_[height] = 0;
    height_++;
  }
  if (level_count_[height] == kWidth) {
    Term full = node(levels_[height], kWidth);
    level_count_[height] = 0;
    add_child(height + 1, full);
  }
  levels_[height][level_count_[height]++] = child.bits();
}

void VectorBuilder::flush_tail() {
  add_child(0, node(tail_, kWidth));
  tail_count_ = 0;
}

Term VectorBuilder::take() {
  Term root = Term::nil();
  unsigned shift = 0;
  for (unsigned h = 0; h < height_; h++) {
    // Below the top, what is unfinished becomes the last child of the level above.
    bool top = h + 1 == height_;
    if (top && level_count_[h] == 1) {
      root = Term::from_bits(levels_[h][0]);
      shift = h * kBits;
    } else {
      Term n = node(levels_[h], level_count_[h]);
      if (top) {
        root = n;
        shift = (h + 1) * kBits;
      } else {
        add_child(h + 1, n);
      }
    }
  }
  Term tail = tail_count_ == 0 ? Term::nil() : node(tail_, tail_count_);
  return failed_ ? Term::absent() : make(heap_, count_, shift, root, tail);
}

}  // namespace lona::vm
