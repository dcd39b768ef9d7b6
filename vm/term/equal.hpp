// SPDX-License-Identifier: BSD-2-Clause
// Lonala's `=` and the total order `compare`.
//
// Values of different types are never equal: (1 2), [1 2] and {1 2} are three values, and so are
// 1, 1.0 and 1u8. Maps and
// sets are equal when they hold the same entries, whatever their order. Metadata is ignored.
// Functions are equal when they are the same code over equal captured values.
//
// The order: nil, false, true, numbers (by value; those of the same value by type; NaN last),
// characters, strings (by code point), symbols, keywords
// (by name), lists, tuples, vectors (element by element, then the shorter first), sets, maps
// (fewer entries first, then entry by entry), pids, refs, vars, namespaces, functions.
//
// Nesting costs no native stack, except that of maps as keys of maps. `compare` looks into maps in
// maps down to 32 levels and goes by hashes below, so there it may call different values equal.
#pragma once

#include "vm/term/object.hpp"

namespace lona::vm {

bool equal_slow(Term a, Term b);
// A NaN, the only value that is not equal to itself. Inside of one and the same collection it
// counts as equal all the same.
bool is_not_a_number(Term boxed);

inline bool equal(Term a, Term b) {
  if (a == b) return !a.is_boxed() || !is_not_a_number(a);
  auto is_pointer = [](Term t) { return t.is_pair() || t.is_boxed(); };
  if (!is_pointer(a) && !is_pointer(b)) return false;
  return equal_slow(a, b);
}

// Negative, zero or positive.
int compare(Term a, Term b);

// The value without the metadata that `with-meta` or the reader put around it.
inline Term bare(Term t) {
  while (is_kind(t, Kind::kMetaForm)) t = slot(t, 0);
  return t;
}

}  // namespace lona::vm
