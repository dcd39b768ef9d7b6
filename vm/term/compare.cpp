// SPDX-License-Identifier: BSD-2-Clause
// The total order of values (equal.hpp). Sequences are walked with an explicit stack; maps recurse,
// because their entries must be put into an order first. So that a program's data cannot use up the
// native stack, maps inside of more than kMaxMapNesting others are ordered by their hashes.
#include <algorithm>
#include <array>
#include <cstring>

#include "vm/code/namespace.hpp"
#include "vm/data/binary.hpp"
#include "vm/data/map.hpp"
#include "vm/data/sequence.hpp"
#include "vm/data/string.hpp"
#include "vm/data/vector.hpp"
#include "vm/data/work_stack.hpp"
#include "vm/number/arithmetic.hpp"
#include "vm/term/equal.hpp"
#include "vm/term/hash.hpp"
#include "vm/term/symbol.hpp"

namespace lona::vm {

namespace {

template <class T>
int three_way(T a, T b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

// Of boxes that hold nothing but words.
int compare_words(Term a, Term b) {
  const std::size_t words = std::min(header_of(a).words(), header_of(b).words());
  for (std::size_t at = 0; at < words; ++at) {
    if (int c = three_way(payload(a)[at], payload(b)[at]); c != 0) return c;
  }
  return three_way(header_of(a).words(), header_of(b).words());
}

int compare_bytes(Bytes a, Bytes b) {
  std::size_t n = std::min(a.size(), b.size());
  int c = n == 0 ? 0 : std::memcmp(a.data(), b.data(), n);
  return c != 0 ? c : three_way(a.size(), b.size());
}

// Position of a value's type in the order.
int rank(Term t) {
  if (is_number(t)) return 3;
  switch (t.tag()) {
    case Tag::kSymbol:
      return 6;
    case Tag::kKeyword:
      return 7;
    case Tag::kPair:
      return 8;
    case Tag::kPid:
      return 13;
    case Tag::kSpecial:
      if (t.is_character()) return 4;
      if (t.is_empty_list()) return 8;
      if (t.is_native()) return 17;
      if (t.is_realm()) return 22;
      return t.is_nil() ? 0 : t == Term::false_() ? 1 : t == Term::true_() ? 2 : 20;
    default:
      break;
  }
  switch (header_of(t).kind()) {
    case Kind::kString:
    case Kind::kText:
      return 5;
    case Kind::kTuple:
      return 9;
    case Kind::kVector:
      return 10;
    case Kind::kSet:
      return 11;
    case Kind::kMap:
      return 12;
    case Kind::kRef:
    case Kind::kForeign:
      return 14;
    case Kind::kVar:
      return 15;
    case Kind::kNamespace:
      return 16;
    case Kind::kClosure:
      return 18;
    case Kind::kBinary:
    case Kind::kSlice:
      return 19;
    default:
      return 21;
  }
}

constexpr unsigned kMaxMapNesting = 32;

int compare_within(Term a, Term b, unsigned nesting);

struct KeyValue {
  Term key, value;
};

// Entries of a small map by key; those of larger ones have an order of their own, the trie's.
class Ordered {
 public:
  Ordered(Term map, unsigned nesting) : cursor_(map), small_(map_is_small(map)) {
    if (!small_) return;
    for (; !cursor_.done(); cursor_.next()) entries_[count_++] = {cursor_.key(), cursor_.value()};
    for (std::size_t i = 1; i < count_; i++) {
      for (std::size_t j = i;
           j > 0 && compare_within(entries_[j].key, entries_[j - 1].key, nesting) < 0; j--) {
        std::swap(entries_[j], entries_[j - 1]);
      }
    }
  }
  KeyValue next() {
    if (small_) return entries_[at_++];
    KeyValue e{cursor_.key(), cursor_.value()};
    cursor_.next();
    return e;
  }

 private:
  MapCursor cursor_;
  bool small_;
  std::size_t count_ = 0, at_ = 0;
  std::array<KeyValue, kSmallMap> entries_;
};

int compare_maps(Term a, Term b, unsigned nesting) {
  std::size_t n = map_count(a);
  if (int c = three_way(n, map_count(b)); c != 0) return c;
  if (++nesting > kMaxMapNesting) return three_way(hash_term(a), hash_term(b));
  Ordered x(a, nesting), y(b, nesting);
  for (std::size_t i = 0; i < n; i++) {
    KeyValue p = x.next(), q = y.next();
    if (int c = compare_within(p.key, q.key, nesting); c != 0) return c;
    if (int c = compare_within(p.value, q.value, nesting); c != 0) return c;
  }
  return 0;
}

// By value, then by type; NaNs come last.
int compare_numbers(Term a, Term b) {
  auto order = number_order(a, b);
  if (!order.has_value()) return three_way(hash_term(a), hash_term(b));  // no memory: any order
  if (*order == std::partial_ordering::less) return -1;
  if (*order == std::partial_ordering::greater) return 1;
  if (*order == std::partial_ordering::unordered) {
    bool x = a.is_boxed() && is_not_a_number(a), y = b.is_boxed() && is_not_a_number(b);
    if (x != y) return three_way(x, y);
  }
  return three_way(unsigned(number_type(a)), unsigned(number_type(b)));
}

struct Open {
  Term a, b;
  std::size_t next;
};

std::size_t indexed_count(Term t) {
  return is_tuple(t) ? tuple_count(t) : vector_count(t);
}
Term indexed_get(Term t, std::size_t i) {
  return is_tuple(t) ? slot(t, i) : vector_get(t, i);
}

class Ordering {
 public:
  explicit Ordering(unsigned nesting) : nesting_(nesting) {}

  int run(Term a, Term b) {
    int c = enter(a, b);
    while (c == 0 && !open_.empty()) c = advance();
    return c;
  }

 private:
  int enter(Term a, Term b) {
    if (a == b) return 0;
    a = bare(a);
    b = bare(b);
    int kind = rank(a);
    if (int c = three_way(kind, rank(b)); c != 0) return c;
    if (a.is_list() || is_tuple(a) || is_vector(a)) {
      open_.must_push({a, b, 0});
      return 0;
    }
    return leaves(a, b);
  }
  int leaves(Term a, Term b);

  int advance() {
    Open& o = open_.top();
    if (o.a.is_list()) {
      Term a = o.a, b = o.b;
      if (!a.is_pair() || !b.is_pair()) {
        open_.pop();
        return three_way(a.is_pair(), b.is_pair());
      }
      o.a = a.rest();
      o.b = b.rest();
      return enter(a.first(), b.first());
    }
    Term a = o.a, b = o.b;
    std::size_t i = o.next++, n = indexed_count(a), m = indexed_count(b);
    if (i < n && i < m) return enter(indexed_get(a, i), indexed_get(b, i));
    open_.pop();
    return three_way(n, m);
  }

  unsigned nesting_;  // maps around the values
  WorkStack<Open, 24> open_;
};

int Ordering::leaves(Term a, Term b) {
  if (is_number(a)) return compare_numbers(a, b);
  if (a.is_character()) return three_way(a.as_character(), b.as_character());
  if (a.is_symbol() || a.is_keyword()) {
    return three_way(a.entry()->full().compare(b.entry()->full()), 0);
  }
  if (!a.is_boxed()) return three_way(a.bits(), b.bits());
  switch (header_of(a).kind()) {
    case Kind::kString:
    case Kind::kText:
      // Byte order of UTF-8 is code point order.
      return three_way(string_text(a).compare(string_text(b)), 0);
    case Kind::kBinary:
    case Kind::kSlice:
      return compare_bytes(binary_bytes(a), binary_bytes(b));
    case Kind::kMap:
      return compare_maps(a, b, nesting_);
    case Kind::kSet:
      return compare_maps(set_map(a), set_map(b), nesting_);
    default:
      // Refs, vars, namespaces, functions: by what identifies them.
      if (equal(a, b)) return 0;
      if (is_namespace(a)) return three_way(as_namespace(a)->name->id, as_namespace(b)->name->id);
      if (int c = three_way(payload(a)[0], payload(b)[0]); c != 0) return c;
      if (is_kind(a, Kind::kMachine) || is_kind(a, Kind::kForeign)) return compare_words(a, b);
      return three_way(a.bits(), b.bits());
  }
}

int compare_within(Term a, Term b, unsigned nesting) {
  if (a.is_integer() && b.is_integer()) return three_way(a.as_integer(), b.as_integer());
  Ordering ordering(nesting);
  return ordering.run(a, b);
}

}  // namespace

int compare(Term a, Term b) {
  return compare_within(a, b, 0);
}

}  // namespace lona::vm
