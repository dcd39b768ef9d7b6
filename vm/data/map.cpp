// SPDX-License-Identifier: BSD-2-Clause
// The trie follows Steindorfer and Vinju, "Optimizing Hash-Array Mapped Tries for Fast and Lean
// Immutable JVM Collections" (OOPSLA 2015), with entries and children growing from the same end,
// because a node's size is known from its header. Depth is bounded by the hash: 12 levels.
#include "vm/data/map.hpp"

#include <bit>
#include <cstring>

#include "vm/term/equal.hpp"
#include "vm/term/hash.hpp"

namespace lona::vm {

namespace {

// The two bit sets in a node's first word.
struct MapNode {
  Word bits;
  explicit MapNode(Term node) : bits(payload(node)[0]) {}
  std::uint32_t data_bits() const { return static_cast<std::uint32_t>(bits); }
  std::uint32_t child_bits() const { return static_cast<std::uint32_t>(bits >> 32); }
};

constexpr unsigned kBits = 5;
constexpr unsigned kHashBits = 60;

unsigned bit_index(std::uint64_t hash, unsigned shift) {
  return (hash >> shift) & 31;
}
unsigned below(std::uint32_t bits, unsigned index) {
  return static_cast<unsigned>(std::popcount(bits & ((1u << index) - 1)));
}

Word* new_node(Heap& heap, std::uint32_t data, std::uint32_t child, std::size_t words) {
  Word* p = heap.alloc_box(Kind::kNode, words + 1);
  p[1] = Word{child} << 32 | data;
  return p + 2;
}
Term node_of(Word* content) {
  return Term::boxed(content - 2);
}
std::size_t content_words(Term node) {
  return header_of(node).words() - 1;
}
const Word* content(Term node) {
  return payload(node) + 1;
}

bool same_key(Word stored, Term key) {
  return equal(Term::from_bits(stored), key);
}

// Copies `n` words with `added` words left open at `at` and `dropped` left out there.
void splice(Word* out, const Word* in, std::size_t n, std::size_t at, std::size_t dropped,
            std::size_t added) {
  std::memcpy(out, in, at * sizeof(Word));
  std::memcpy(out + at + added, in + at + dropped, (n - at - dropped) * sizeof(Word));
}

struct Entry {
  Term key, value;
  std::uint64_t hash;
};

Term two_entries(Heap& heap, unsigned shift, const Entry& a, const Entry& b) {
  if (shift >= kHashBits) {
    Word* w = new_node(heap, 0, 0, 4);
    w[0] = a.key.bits();
    w[1] = a.value.bits();
    w[2] = b.key.bits();
    w[3] = b.value.bits();
    return node_of(w);
  }
  unsigned i = bit_index(a.hash, shift), j = bit_index(b.hash, shift);
  if (i == j) {
    Term child = two_entries(heap, shift + kBits, a, b);
    Word* w = new_node(heap, 0, 1u << i, 1);
    w[0] = child.bits();
    return node_of(w);
  }
  const Entry& first = i < j ? a : b;
  const Entry& second = i < j ? b : a;
  Word* w = new_node(heap, 1u << i | 1u << j, 0, 4);
  w[0] = first.key.bits();
  w[1] = first.value.bits();
  w[2] = second.key.bits();
  w[3] = second.value.bits();
  return node_of(w);
}

// A copy of `node` with one word replaced.
Term with_word(Heap& heap, Term node, std::size_t at, Term value) {
  MapNode n(node);
  std::size_t words = content_words(node);
  Word* w = new_node(heap, n.data_bits(), n.child_bits(), words);
  std::memcpy(w, content(node), words * sizeof(Word));
  w[at] = value.bits();
  return node_of(w);
}

Term put_colliding(Heap& heap, Term node, const Entry& e, bool& added) {
  std::size_t words = content_words(node);
  const Word* in = content(node);
  for (std::size_t i = 0; i < words; i += 2) {
    if (same_key(in[i], e.key)) return with_word(heap, node, i + 1, e.value);
  }
  added = true;
  Word* w = new_node(heap, 0, 0, words + 2);
  std::memcpy(w, in, words * sizeof(Word));
  w[words] = e.key.bits();
  w[words + 1] = e.value.bits();
  return node_of(w);
}

Term put_in(Heap& heap, Term node, unsigned shift, const Entry& e, bool& added) {
  if (shift >= kHashBits) return put_colliding(heap, node, e, added);
  MapNode n(node);
  std::uint32_t data = n.data_bits(), child = n.child_bits();
  unsigned index = bit_index(e.hash, shift);
  std::uint32_t bit = 1u << index;
  std::size_t entries = 2 * static_cast<std::size_t>(std::popcount(data));
  std::size_t words = content_words(node);
  const Word* in = content(node);
  if (child & bit) {
    std::size_t at = entries + below(child, index);
    Term old = Term::from_bits(in[at]);
    Term fresh = put_in(heap, old, shift + kBits, e, added);
    return fresh == old ? node : with_word(heap, node, at, fresh);
  }
  std::size_t at = 2 * below(data, index);
  if (!(data & bit)) {
    added = true;
    Word* w = new_node(heap, data | bit, child, words + 2);
    splice(w, in, words, at, 0, 2);
    w[at] = e.key.bits();
    w[at + 1] = e.value.bits();
    return node_of(w);
  }
  if (same_key(in[at], e.key)) {
    return in[at + 1] == e.value.bits() ? node : with_word(heap, node, at + 1, e.value);
  }
  // Two keys share this place: they move one level down together.
  added = true;
  Entry old{Term::from_bits(in[at]), Term::from_bits(in[at + 1]), 0};
  old.hash = hash_term(old.key);
  Term sub = two_entries(heap, shift + kBits, old, e);
  std::size_t child_at = entries - 2 + below(child, index);
  Word* w = new_node(heap, data & ~bit, child | bit, words - 1);
  std::memcpy(w, in, at * sizeof(Word));
  std::memcpy(w + at, in + at + 2, (child_at - at) * sizeof(Word));
  w[child_at] = sub.bits();
  std::memcpy(w + child_at + 1, in + child_at + 2, (words - child_at - 2) * sizeof(Word));
  return node_of(w);
}

Term without_entry(Heap& heap, Term node, std::uint32_t bit, std::size_t at) {
  MapNode n(node);
  std::size_t words = content_words(node);
  Word* w = new_node(heap, n.data_bits() & ~bit, n.child_bits(), words - 2);
  splice(w, content(node), words, at, 2, 0);
  return node_of(w);
}

bool single_entry(Term node) {
  return MapNode(node).child_bits() == 0 && content_words(node) == 2;
}

// `node` itself when the key is not in it. May give a node of one entry, or an empty root.
Term remove_in(Heap& heap, Term node, unsigned shift, Term key, std::uint64_t hash) {
  const Word* in = content(node);
  std::size_t words = content_words(node);
  if (shift >= kHashBits) {
    for (std::size_t i = 0; i < words; i += 2) {
      if (same_key(in[i], key)) return without_entry(heap, node, 0, i);
    }
    return node;
  }
  MapNode n(node);
  std::uint32_t data = n.data_bits(), child = n.child_bits();
  unsigned index = bit_index(hash, shift);
  std::uint32_t bit = 1u << index;
  if (data & bit) {
    std::size_t at = 2 * below(data, index);
    return same_key(in[at], key) ? without_entry(heap, node, bit, at) : node;
  }
  if (!(child & bit)) return node;
  std::size_t entries = 2 * static_cast<std::size_t>(std::popcount(data));
  std::size_t child_at = entries + below(child, index);
  Term old = Term::from_bits(in[child_at]);
  Term sub = remove_in(heap, old, shift + kBits, key, hash);
  if (sub == old) return node;
  if (!single_entry(sub)) return with_word(heap, node, child_at, sub);
  std::size_t at = 2 * below(data, index);
  Word* w = new_node(heap, data | bit, child & ~bit, words + 1);
  std::memcpy(w, in, at * sizeof(Word));
  w[at] = content(sub)[0];
  w[at + 1] = content(sub)[1];
  std::memcpy(w + at + 2, in + at, (child_at - at) * sizeof(Word));
  std::memcpy(w + child_at + 2, in + child_at + 1, (words - child_at - 1) * sizeof(Word));
  return node_of(w);
}

// --- Small maps ---------------------------------------------------------------------------

Word* new_small(Heap& heap, std::size_t count) {
  Word* p = heap.alloc_box(Kind::kMap, 1 + 2 * count);
  p[1] = count;
  return p + 2;
}
Term small_of(Word* entries) {
  return Term::boxed(entries - 2);
}

// Where the key's entry starts, in words; 2 * count when it is not there.
std::size_t find_small(Term map, Term key) {
  std::size_t words = 2 * map_count(map);
  const Word* w = payload(map) + 1;
  for (std::size_t i = 0; i < words; i += 2) {
    if (w[i] == key.bits()) return i;
  }
  if (!key.is_boxed() && !key.is_pair()) return words;
  for (std::size_t i = 0; i < words; i += 2) {
    if (same_key(w[i], key)) return i;
  }
  return words;
}

Term make_large(Heap& heap, std::size_t count, Term root) {
  Word* p = heap.alloc_box(Kind::kMap, 2);
  p[1] = count;
  p[2] = root.bits();
  return Term::boxed(p);
}

Term grow_to_trie(Heap& heap, Term map, const Entry& e) {
  const Word* in = payload(map) + 1;
  Term root = node_of(new_node(heap, 0, 0, 0));
  bool added = false;
  for (std::size_t i = 0; i < 2 * kSmallMap; i += 2) {
    Entry old{Term::from_bits(in[i]), Term::from_bits(in[i + 1]), 0};
    old.hash = hash_term(old.key);
    root = put_in(heap, root, 0, old, added);
  }
  return make_large(heap, kSmallMap + 1, put_in(heap, root, 0, e, added));
}

Term put_small(Heap& heap, Term map, Term key, Term value) {
  std::size_t count = map_count(map), words = 2 * count;
  const Word* in = payload(map) + 1;
  std::size_t at = find_small(map, key);
  if (at == words && count == kSmallMap) {
    return grow_to_trie(heap, map, Entry{key, value, hash_term(key)});
  }
  if (at < words && in[at + 1] == value.bits()) return map;
  Word* w = new_small(heap, at < words ? count : count + 1);
  std::memcpy(w, in, words * sizeof(Word));
  if (at == words) w[at] = key.bits();
  w[at + 1] = value.bits();
  return small_of(w);
}

Term shrink_to_small(Heap& heap, Term root) {
  Word* w = new_small(heap, kSmallMap);
  for (MapCursor c(root, kSmallMap); !c.done(); c.next()) {
    *w++ = c.key().bits();
    *w++ = c.value().bits();
  }
  return small_of(w - 2 * kSmallMap);
}

}  // namespace

Term empty_map(Heap& heap) {
  return small_of(new_small(heap, 0));
}

Term map_get(Term map, Term key) {
  key = bare(key);
  if (map_is_small(map)) {
    std::size_t at = find_small(map, key);
    return at < 2 * map_count(map) ? Term::from_bits(payload(map)[1 + at + 1]) : Term::absent();
  }
  Term node = slot(map, 1);
  std::uint64_t hash = hash_term(key);
  for (unsigned shift = 0; shift < kHashBits; shift += kBits) {
    MapNode n(node);
    unsigned index = bit_index(hash, shift);
    std::uint32_t data = n.data_bits(), child = n.child_bits();
    const Word* in = content(node);
    if (data >> index & 1) {
      std::size_t at = 2 * below(data, index);
      return same_key(in[at], key) ? Term::from_bits(in[at + 1]) : Term::absent();
    }
    if (!(child >> index & 1)) return Term::absent();
    node = Term::from_bits(in[2 * std::popcount(data) + below(child, index)]);
  }
  const Word* in = content(node);
  for (std::size_t i = 0; i < content_words(node); i += 2) {
    if (same_key(in[i], key)) return Term::from_bits(in[i + 1]);
  }
  return Term::absent();
}

Term map_put(Heap& heap, Term map, Term key, Term value) {
  key = bare(key);
  if (map_is_small(map)) return put_small(heap, map, key, value);
  bool added = false;
  Term old = slot(map, 1);
  Term root = put_in(heap, old, 0, Entry{key, value, hash_term(key)}, added);
  return root == old ? map : make_large(heap, map_count(map) + added, root);
}

Term map_remove(Heap& heap, Term map, Term key) {
  key = bare(key);
  std::size_t count = map_count(map);
  if (map_is_small(map)) {
    std::size_t at = find_small(map, key);
    if (at == 2 * count) return map;
    Word* w = new_small(heap, count - 1);
    splice(w, payload(map) + 1, 2 * count, at, 2, 0);
    return small_of(w);
  }
  Term old = slot(map, 1);
  Term root = remove_in(heap, old, 0, key, hash_term(key));
  if (root == old) return map;
  if (count - 1 > kSmallMap) return make_large(heap, count - 1, root);
  return shrink_to_small(heap, root);
}

Term map_merge(Heap& heap, Term left, Term right) {
  for (MapCursor c(right); !c.done(); c.next()) left = map_put(heap, left, c.key(), c.value());
  return left;
}

Term make_set(Heap& heap, Term map) {
  Word* p = heap.alloc_box(Kind::kSet, 1);
  p[1] = map.bits();
  return Term::boxed(p);
}

Term set_add(Heap& heap, Term set, Term element) {
  Term map = map_put(heap, set_map(set), element, Term::true_());
  return map == set_map(set) ? set : make_set(heap, map);
}

Term set_remove(Heap& heap, Term set, Term element) {
  Term map = map_remove(heap, set_map(set), element);
  return map == set_map(set) ? set : make_set(heap, map);
}

std::size_t node_entries(Term node) {
  MapNode n(node);
  if (n.bits == 0) return content_words(node) / 2;
  return static_cast<std::size_t>(std::popcount(n.data_bits()));
}

std::size_t node_children(Term node) {
  return static_cast<std::size_t>(std::popcount(MapNode(node).child_bits()));
}

MapCursor::MapCursor(Term root, std::size_t entries) : left_(entries) {
  enter(root);
  settle();
}

MapCursor::MapCursor(Term map) : left_(map_count(map)) {
  if (left_ <= kSmallMap) {
    at_ = payload(map) + 1;
    end_ = at_ + 2 * left_;
  } else {
    enter(slot(map, 1));
    settle();
  }
}

void MapCursor::enter(Term node) {
  levels_[depth_++] = {node, 0, static_cast<std::uint32_t>(node_children(node))};
  at_ = content(node);
  end_ = at_ + 2 * node_entries(node);
}

// Moves on to the next node with entries when those of this one are used up.
void MapCursor::settle() {
  while (at_ == end_ && depth_ != 0) {
    Level& level = levels_[depth_ - 1];
    if (level.next_child < level.children) {
      enter(node_child(level.node, level.next_child++));
    } else {
      depth_--;
    }
  }
}

void MapCursor::next() {
  left_--;
  at_ += 2;
  if (left_ != 0) settle();
}

}  // namespace lona::vm
