// SPDX-License-Identifier: BSD-2-Clause
#include "vm/data/vector.hpp"

#include <cstring>

namespace lona::vm {

namespace {

constexpr unsigned kBits = 5;
constexpr std::size_t kWidth = 32;
constexpr std::size_t kMask = kWidth - 1;

unsigned shift_of(Term v) {
  return payload(v)[0] & 0xff;
}
Term root_of(Term v) {
  return slot(v, 1);
}
Term tail_of(Term v) {
  return slot(v, 2);
}
std::size_t tail_start(Term v) {
  std::size_t n = vector_count(v);
  return n == 0 ? 0 : (n - 1) & ~kMask;
}

std::size_t children_of(Term node) {
  return header_of(node).words() - 1;
}
Word* children(Term node) {
  return payload(node) + 1;
}

// A node with room for `count` children, the first of which are copied from `from`.
Term copy_node(Heap& heap, const Word* from, std::size_t copied, std::size_t count) {
  Word* p = heap.alloc_box(Kind::kNode, count + 1);
  p[1] = 0;
  if (copied != 0) std::memcpy(p + 2, from, copied * sizeof(Word));
  return Term::boxed(p);
}

Term make(Heap& heap, std::size_t count, unsigned shift, Term root, Term tail) {
  Word* p = heap.alloc_box(Kind::kVector, 3);
  p[1] = count << 8 | shift;
  p[2] = root.bits();
  p[3] = tail.bits();
  return Term::boxed(p);
}

// A chain of one-child nodes from `shift` down to the leaf.
Term chain(Heap& heap, unsigned shift, Term leaf) {
  for (; shift > 0; shift -= kBits) {
    Word child = leaf.bits();
    leaf = copy_node(heap, &child, 1, 1);
  }
  return leaf;
}

// `node` with `leaf` as its element number `index` >> 5; the leaf is the last one of the trie.
Term push_leaf(Heap& heap, Term node, unsigned shift, std::size_t index, Term leaf) {
  std::size_t at = (index >> shift) & kMask;
  std::size_t n = children_of(node);
  Term child =
      at < n ? push_leaf(heap, Term::from_bits(children(node)[at]), shift - kBits, index, leaf)
             : chain(heap, shift - kBits, leaf);
  Term copy = copy_node(heap, children(node), n, at < n ? n : n + 1);
  children(copy)[at] = child.bits();
  return copy;
}

Term put_in(Heap& heap, Term node, unsigned shift, std::size_t index, Term element) {
  std::size_t n = children_of(node);
  std::size_t at = (index >> shift) & kMask;
  Term copy = copy_node(heap, children(node), n, n);
  children(copy)[at] =
      shift == 0
          ? element.bits()
          : put_in(heap, Term::from_bits(children(node)[at]), shift - kBits, index, element).bits();
  return copy;
}

}  // namespace

std::span<const Word> vector_chunk(Term v, std::size_t index) {
  std::size_t start = tail_start(v);
  if (index >= start) {
    return {children(tail_of(v)) + (index - start), vector_count(v) - index};
  }
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
  std::size_t n = vector_count(v);
  unsigned shift = shift_of(v);
  Term root = root_of(v);
  Word bits = element.bits();
  if (n == 0) return make(heap, 1, 0, root, copy_node(heap, &bits, 1, 1));
  std::size_t in_tail = n - tail_start(v);
  if (in_tail < kWidth) {
    Term tail = copy_node(heap, children(tail_of(v)), in_tail, in_tail + 1);
    children(tail)[in_tail] = bits;
    return make(heap, n + 1, shift, root, tail);
  }
  std::size_t start = tail_start(v);
  if (root.is_nil()) {
    root = tail_of(v);
  } else if (start == kWidth << shift) {  // the trie is full: one level more
    Word two[2] = {root.bits(), chain(heap, shift, tail_of(v)).bits()};
    root = copy_node(heap, two, 2, 2);
    shift += kBits;
  } else {
    root = push_leaf(heap, root, shift, start, tail_of(v));
  }
  return make(heap, n + 1, shift, root, copy_node(heap, &bits, 1, 1));
}

Term vector_put(Heap& heap, Term v, std::size_t index, Term element) {
  std::size_t n = vector_count(v), start = tail_start(v);
  if (index < start) {
    return make(heap, n, shift_of(v), put_in(heap, root_of(v), shift_of(v), index, element),
                tail_of(v));
  }
  Term tail = copy_node(heap, children(tail_of(v)), n - start, n - start);
  children(tail)[index - start] = element.bits();
  return make(heap, n, shift_of(v), root_of(v), tail);
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
