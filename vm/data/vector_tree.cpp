// SPDX-License-Identifier: BSD-2-Clause
#include "vm/data/vector_tree.hpp"

#include <algorithm>
#include <cstring>

namespace lona::vm::tree {

namespace {

constexpr std::size_t kSpareNodes = 2;

std::size_t end_of(Term node, std::size_t at) {
  Term ends = child_of(node, children_of(node));
  return static_cast<std::size_t>(slot(ends, at).as_integer());
}

// A node whose children are words that the caller writes.
Term new_node(Heap& heap, std::size_t count, bool relaxed) {
  Word* p = heap.alloc_box(Kind::kNode, 1 + count + (relaxed ? 1 : 0));
  p[1] = relaxed ? 1 : 0;
  return Term::boxed(p);
}

// A row of nodes side by side, of one height: those at a seam.
struct Row {
  Word nodes[2 * kWidth];
  std::size_t count = 0;

  void add(Term node) { nodes[count++] = node.bits(); }
  void add(Term parent, std::size_t from, std::size_t to) {
    for (; from < to; from++) add(child_of(parent, from));
  }
};

// How many children each node of the row shall have, so that few nodes are changed and the row is
// at most kSpareNodes longer than it must be; gives the number of nodes.
std::size_t plan(const Row& row, std::size_t* wanted) {
  std::size_t total = 0, count = row.count;
  for (std::size_t i = 0; i < count; i++) {
    wanted[i] = children_of(Term::from_bits(row.nodes[i]));
    total += wanted[i];
  }
  std::size_t most = (total + kWidth - 1) / kWidth + kSpareNodes;
  for (std::size_t at = 0; count > most; count--) {
    while (wanted[at] == kWidth) at++;
    // The children of this node move to those behind it, as far as need be. There is room for them:
    // a full node and two are missing there, as nothing is missing before.
    std::size_t left = wanted[at];
    std::size_t to = at;
    while (left != 0) {
      std::size_t all = left + wanted[to + 1];
      wanted[to] = std::min(all, kWidth);
      left = all - wanted[to];
      to++;
    }
    std::copy(wanted + to + 1, wanted + count, wanted + to);
    at = at == 0 ? 0 : at - 1;
  }
  return count;
}

// The row's nodes at height `shift`, evened out, below as few nodes as they need.
Term evened_out(Heap& heap, const Row& row, unsigned shift) {
  std::size_t wanted[2 * kWidth];
  std::size_t count = plan(row, wanted);
  Row even;
  std::size_t from = 0, offset = 0;
  for (std::size_t i = 0; i < count; i++) {
    Term source = Term::from_bits(row.nodes[from]);
    if (offset == 0 && children_of(source) == wanted[i]) {
      even.add(source);
      from++;
      continue;
    }
    Word gathered[kWidth];
    for (std::size_t n = 0; n < wanted[i];) {
      source = Term::from_bits(row.nodes[from]);
      std::size_t now = std::min(wanted[i] - n, children_of(source) - offset);
      std::memcpy(gathered + n, children(source) + offset, now * sizeof(Word));
      n += now;
      offset += now;
      if (offset == children_of(source)) {
        from++;
        offset = 0;
      }
    }
    even.add(shift == 0 ? make_leaf(heap, gathered, wanted[i])
                        : make_inner(heap, shift, {gathered, wanted[i]}));
  }
  Word parents[2];
  std::size_t first = std::min(even.count, kWidth), behind = even.count - first;
  parents[0] = make_inner(heap, shift + kBits, {even.nodes, first}).bits();
  if (behind == 0) return make_inner(heap, shift + 2 * kBits, {parents, 1});
  parents[1] = make_inner(heap, shift + kBits, {even.nodes + first, behind}).bits();
  return make_inner(heap, shift + 2 * kBits, {parents, 2});
}

// Both tries below a new node of one or two children, one level higher than the higher one.
Term join_nodes(Heap& heap, Tree left, Tree right) {
  if (left.shift == 0 && right.shift == 0) {
    Word two[] = {left.root.bits(), right.root.bits()};
    return make_inner(heap, kBits, two);
  }
  unsigned shift = std::max(left.shift, right.shift), below = shift - kBits;
  bool has_left = left.shift == shift, has_right = right.shift == shift;
  std::size_t lefts = has_left ? children_of(left.root) - 1 : 0;
  Tree a = has_left ? Tree{child_of(left.root, lefts), below} : left;
  Tree b = has_right ? Tree{child_of(right.root, 0), below} : right;
  Term middle = join_nodes(heap, a, b);
  Row row;
  if (has_left) row.add(left.root, 0, lefts);
  // One level higher than both: its children stand beside the others.
  row.add(middle, 0, children_of(middle));
  if (has_right) row.add(right.root, 1, children_of(right.root));
  return evened_out(heap, row, below);
}

// Without nodes of a single child on top.
Tree lowered(Tree tree) {
  while (tree.shift != 0 && children_of(tree.root) == 1) {
    tree = {child_of(tree.root, 0), tree.shift - kBits};
  }
  return tree;
}

// A chain of one-child nodes from `shift` down to the leaf.
Term chain(Heap& heap, unsigned shift, Term leaf) {
  for (unsigned s = kBits; s <= shift; s += kBits) {
    Word child = leaf.bits();
    leaf = make_inner(heap, s, {&child, 1});
  }
  return leaf;
}

// With the leaf as the last one; `absent` when there is no room for it below this node.
Term push(Heap& heap, Term node, unsigned shift, Term leaf) {
  if (shift == 0) return Term::absent();
  std::size_t n = children_of(node);
  Word nodes[kWidth];
  std::memcpy(nodes, children(node), n * sizeof(Word));
  Term last = push(heap, child_of(node, n - 1), shift - kBits, leaf);
  if (last != Term::absent()) {
    nodes[n - 1] = last.bits();
  } else if (n < kWidth) {
    nodes[n++] = chain(heap, shift - kBits, leaf).bits();
  } else {
    return Term::absent();
  }
  return make_inner(heap, shift, {nodes, n});
}

Term take(Heap& heap, Term node, unsigned shift, std::size_t count) {
  if (count == size_of(node, shift)) return node;
  std::size_t index = count;
  std::size_t at = find_child(node, shift, index);
  Word nodes[kWidth];
  std::memcpy(nodes, children(node), at * sizeof(Word));
  if (index != 0) {
    nodes[at] = take(heap, child_of(node, at), shift - kBits, index).bits();
    at++;
  }
  return make_inner(heap, shift, {nodes, at});
}

Term drop(Heap& heap, Term node, unsigned shift, std::size_t count) {
  if (count == 0) return node;
  std::size_t n = children_of(node);
  if (shift == 0) return make_leaf(heap, children(node) + count, n - count);
  std::size_t at = find_child(node, shift, count);
  Word nodes[kWidth];
  std::memcpy(nodes, children(node) + at, (n - at) * sizeof(Word));
  nodes[0] = drop(heap, child_of(node, at), shift - kBits, count).bits();
  return make_inner(heap, shift, {nodes, n - at});
}

}  // namespace

std::size_t size_of(Term node, unsigned shift) {
  std::size_t size = 0;
  for (; shift != 0; shift -= kBits) {
    std::size_t last = children_of(node) - 1;
    if (is_relaxed(node)) return size + end_of(node, last);
    size += last << shift;
    node = child_of(node, last);
  }
  return size + children_of(node);
}

std::size_t find_child(Term node, unsigned shift, std::size_t& index) {
  std::size_t at = index >> shift;  // no child has more than this would be for full ones
  if (!is_relaxed(node)) {
    index -= at << shift;
    return at;
  }
  while (index >= end_of(node, at)) at++;
  if (at != 0) index -= end_of(node, at - 1);
  return at;
}

Term make_leaf(Heap& heap, const Word* elements, std::size_t count) {
  Term node = new_node(heap, count, false);
  if (count != 0) std::memcpy(children(node), elements, count * sizeof(Word));
  return node;
}

Term make_inner(Heap& heap, unsigned shift, std::span<const Word> nodes) {
  std::size_t ends[kWidth], end = 0;
  bool full = true;
  for (std::size_t i = 0; i < nodes.size(); i++) {
    Term node = Term::from_bits(nodes[i]);
    // The last child need not be full, but its elements must be where they are looked for.
    bool last = i + 1 == nodes.size();
    std::size_t size = size_of(node, shift - kBits);
    full = full && (last ? !is_relaxed(node) : size == std::size_t{1} << shift);
    ends[i] = end += size;
  }
  Term node = new_node(heap, nodes.size(), !full);
  std::memcpy(children(node), nodes.data(), nodes.size_bytes());
  if (full) return node;
  Word* tuple = heap.alloc_box(Kind::kTuple, nodes.size());
  for (std::size_t i = 0; i < nodes.size(); i++) {
    tuple[1 + i] = Term::integer(static_cast<std::int64_t>(ends[i])).bits();
  }
  children(node)[nodes.size()] = Term::boxed(tuple).bits();
  return node;
}

Term with_child(Heap& heap, Term node, std::size_t at, Term child) {
  std::size_t words = header_of(node).words();
  Word* p = heap.alloc_box(Kind::kNode, words);
  std::memcpy(p + 1, payload(node), words * sizeof(Word));
  p[2 + at] = child.bits();
  return Term::boxed(p);
}

Tree with_leaf(Heap& heap, Tree tree, Term leaf) {
  if (tree.root.is_nil()) return {leaf, 0};
  Term root = push(heap, tree.root, tree.shift, leaf);
  if (root != Term::absent()) return {root, tree.shift};
  Word two[] = {tree.root.bits(), chain(heap, tree.shift, leaf).bits()};
  return {make_inner(heap, tree.shift + kBits, two), tree.shift + kBits};
}

Tree joined(Heap& heap, Tree left, Tree right) {
  if (left.root.is_nil()) return right;
  if (right.root.is_nil()) return left;
  Term root = join_nodes(heap, left, right);
  return lowered({root, std::max(left.shift, right.shift) + kBits});
}

Tree first_part(Heap& heap, Tree tree, std::size_t count) {
  if (count == 0 || tree.root.is_nil()) return {Term::nil(), 0};
  return lowered({take(heap, tree.root, tree.shift, count), tree.shift});
}

Tree without_first(Heap& heap, Tree tree, std::size_t count) {
  if (tree.root.is_nil() || count >= size_of(tree.root, tree.shift)) return {Term::nil(), 0};
  return lowered({drop(heap, tree.root, tree.shift, count), tree.shift});
}

}  // namespace lona::vm::tree
