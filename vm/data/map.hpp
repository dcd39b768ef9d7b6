// SPDX-License-Identifier: BSD-2-Clause
// Persistent maps, and sets over them.
//
//   Map: count, k v k v…      up to kSmallMap entries, in the order of insertion
//   Map: count, root Node     more: a compressed hash trie
//   Node: data bits | child bits << 32; k v of each data bit; one Node for each child bit
//   Node below the last hash bits: 0; k v k v… of keys whose 60 hash bits all agree
//   Set: a Map whose values are true
//
// A trie node that would hold a single entry and nothing else is folded into its parent, so equal
// maps of more than kSmallMap entries have the same shape. Iteration goes through a node's entries
// in the order of their hash bits, then through its children. It is the same on every run and in
// every process, but otherwise without meaning.
//
// Costs: look up, put and remove O(log32 n). Keys are stored without metadata.
#pragma once

#include "vm/heap/heap.hpp"

namespace lona::vm {

inline constexpr std::size_t kSmallMap = 8;

inline bool is_map(Term t) {
  return is_kind(t, Kind::kMap);
}
inline bool is_set(Term t) {
  return is_kind(t, Kind::kSet);
}
inline std::size_t map_count(Term m) {
  return payload(m)[0];
}
inline bool map_is_small(Term m) {
  return map_count(m) <= kSmallMap;
}

Term empty_map(Heap& heap);
Term map_get(Term map, Term key);  // `absent` when there is no such key
Term map_put(Heap& heap, Term map, Term key, Term value);
Term map_remove(Heap& heap, Term map, Term key);
// All of `right` put into `left`.
Term map_merge(Heap& heap, Term left, Term right);

inline Term set_map(Term set) {
  return slot(set, 0);
}
Term make_set(Heap& heap, Term map);
inline std::size_t set_count(Term s) {
  return map_count(set_map(s));
}
inline bool set_contains(Term s, Term element) {
  return map_get(set_map(s), element) != Term::absent();
}
Term set_add(Heap& heap, Term set, Term element);
Term set_remove(Heap& heap, Term set, Term element);

// Nodes of a trie, for those who walk one with a stack of their own.
std::size_t node_entries(Term node);   // key-value pairs in this node itself
std::size_t node_children(Term node);  // its child nodes
inline Term node_key(Term node, std::size_t entry) {
  return slot(node, 1 + 2 * entry);
}
inline Term node_value(Term node, std::size_t entry) {
  return slot(node, 2 + 2 * entry);
}
inline Term node_child(Term node, std::size_t child) {
  return slot(node, 1 + 2 * node_entries(node) + child);
}

// Goes through all entries of a map.
class MapCursor {
 public:
  MapCursor() = default;  // of nothing
  explicit MapCursor(Term map);
  MapCursor(Term root, std::size_t entries);  // of a trie that no map holds yet
  bool done() const { return left_ == 0; }
  std::size_t left() const { return left_; }
  Term key() const { return Term::from_bits(*at_); }
  Term value() const { return Term::from_bits(at_[1]); }
  void next();

 private:
  static constexpr unsigned kMaxDepth = 14;
  void enter(Term node);
  void settle();

  std::size_t left_ = 0;
  const Word* at_ = nullptr;   // the current entry
  const Word* end_ = nullptr;  // end of the entries beside it
  unsigned depth_ = 0;         // 0: a small map
  struct Level {
    Term node;
    std::uint32_t next_child;
    std::uint32_t children;
  } levels_[kMaxDepth];
};

}  // namespace lona::vm
