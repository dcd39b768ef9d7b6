// SPDX-License-Identifier: BSD-2-Clause
#include "vm/term/equal.hpp"

#include <cstring>

#include "vm/code/namespace.hpp"
#include "vm/data/binary.hpp"
#include "vm/data/map.hpp"
#include "vm/data/sequence.hpp"
#include "vm/data/string.hpp"
#include "vm/data/vector.hpp"
#include "vm/data/work_stack.hpp"
#include "vm/number/number.hpp"

namespace lona::vm {

namespace {

// What is left to compare inside one pair of containers.
struct Open {
  Term a, b;  // containers of one kind; for maps: a small Map or a Node of `a`, and all of `b`
  std::size_t next;
};

bool same_bytes(Bytes a, Bytes b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

class Comparison {
 public:
  bool run(Term a, Term b) {
    if (!enter(a, b)) return false;
    while (!open_.empty()) {
      // Copied, because entering pushes; the position was advanced before.
      if (!advance()) return false;
    }
    return true;
  }

 private:
  // Compares leaves at once; containers of equal size are pushed for a look inside.
  bool enter(Term a, Term b);
  bool enter_boxes(Term a, Term b);
  // Takes one step inside the innermost open container.
  bool advance();
  bool advance_entries(Open& o);
  bool push(Term a, Term b) {
    open_.must_push({a, b, 0});
    return true;
  }

  WorkStack<Open, 24> open_;
};

bool Comparison::enter(Term a, Term b) {
  if (a == b) return true;
  a = bare(a);
  b = bare(b);
  if (a == b) return true;
  if (a.is_pair() && b.is_pair()) return push(a, b);
  return a.is_boxed() && b.is_boxed() && enter_boxes(a, b);
}

bool Comparison::enter_boxes(Term a, Term b) {
  Header ha = header_of(a), hb = header_of(b);
  if (is_string(a)) return is_string(b) && string_text(a) == string_text(b);
  if (is_binary(a)) return is_binary(b) && same_bytes(binary_bytes(a), binary_bytes(b));
  if (ha.kind() != hb.kind()) return false;
  switch (ha.kind()) {
    case Kind::kTuple:
      return ha.words() == hb.words() && (ha.words() == 0 || push(a, b));
    case Kind::kVector:
      return vector_count(a) == vector_count(b) && (vector_count(a) == 0 || push(a, b));
    case Kind::kSet:
      a = set_map(a);
      b = set_map(b);
      [[fallthrough]];
    case Kind::kMap:
      if (map_count(a) != map_count(b)) return false;
      return map_count(a) == 0 || push(map_is_small(a) ? a : slot(a, 1), b);
    case Kind::kClosure:
      if (ha.words() != hb.words() || payload(a)[0] != payload(b)[0]) return false;
      return ha.words() == 1 || push(a, b);
    case Kind::kRef:
    case Kind::kVar:
      return payload(a)[0] == payload(b)[0];
    case Kind::kNamespace:  // a realm and those above may each have an object for it
      return same_name(as_namespace(a)->name, as_namespace(b)->name);
    case Kind::kByteBuffer:  // mutable: itself only
      return payload(a)[1] == payload(b)[1];
    case Kind::kFloat:
      return float_value(a) == float_value(b);
    case Kind::kFloat32:
      return float32_value(a) == float32_value(b);
    case Kind::kRatio:
      return equal(slot(a, 0), slot(b, 0)) && equal(slot(a, 1), slot(b, 1));
    default:
      return ha.words() == hb.words() &&
             std::memcmp(payload(a), payload(b), ha.words() * sizeof(Word)) == 0;
  }
}

bool Comparison::advance() {
  Open& o = open_.top();
  Term a = o.a, b = o.b;
  if (a.is_pair()) {
    Term rest_a = a.rest(), rest_b = b.rest();
    if (rest_a.is_pair() && rest_b.is_pair()) {
      o.a = rest_a;
      o.b = rest_b;
    } else {
      open_.pop();
      if (!enter(rest_a, rest_b)) return false;
    }
    return enter(a.first(), b.first());
  }
  Kind kind = header_of(a).kind();
  if (kind == Kind::kMap || kind == Kind::kNode) return advance_entries(o);
  std::size_t i = o.next++;
  if (kind == Kind::kVector) {
    if (o.next == vector_count(a)) open_.pop();
    return enter(vector_get(a, i), vector_get(b, i));
  }
  if (kind == Kind::kClosure) i = o.next;  // after the raw code pointer
  std::size_t words = header_of(a).words();
  if (i + 1 == words) open_.pop();
  return enter(slot(a, i), slot(b, i));
}

bool Comparison::advance_entries(Open& o) {
  Term a = o.a, b = o.b;
  bool node = header_of(a).kind() == Kind::kNode;
  std::size_t entries = node ? node_entries(a) : map_count(a);
  std::size_t children = node ? node_children(a) : 0;
  std::size_t i = o.next++;
  if (o.next == entries + children) open_.pop();
  if (i >= entries) return push(node_child(a, i - entries), b);
  // A map's payload is laid out as a node's: one raw word, then entries.
  Term other = map_get(b, node_key(a, i));
  return other != Term::absent() && enter(node_value(a, i), other);
}

}  // namespace

bool is_not_a_number(Term boxed) {
  if (is_float(boxed)) return float_value(boxed) != float_value(boxed);
  return is_float32(boxed) && float32_value(boxed) != float32_value(boxed);
}

bool equal_slow(Term a, Term b) {
  // The common small cases without setting up a walk.
  if (is_string(a) && is_string(b)) {
    return string_text(a) == string_text(b);
  }
  Comparison comparison;
  return comparison.run(a, b);
}

}  // namespace lona::vm
