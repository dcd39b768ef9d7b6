// SPDX-License-Identifier: BSD-2-Clause
// Functions that go through the elements of any collection.
#include <bit>
#include <utility>

#include "vm/data/each.hpp"
#include "vm/data/map.hpp"
#include "vm/data/map_builder.hpp"
#include "vm/data/sequence.hpp"
#include "vm/data/string.hpp"
#include "vm/data/vector.hpp"
#include "vm/native/natives_data.hpp"
#include "vm/term/equal.hpp"

namespace lona::vm::natives {

namespace {

Term fail_collection(Process& p, const char* fn, Term got) {
  return p.fail_type(fn, "collection", got);
}

template <class Convert>
Term convert(Process& p, const char* fn, Args args, Convert to) {
  Term t = bare(args[0]);
  if (!is_seqable(t)) return fail_collection(p, fn, t);
  charge_items(p, t.is_list() ? 0 : seqable_count(t));
  return or_oom(p, to(p, t));
}

// The key and value of what stands for an entry of a map.
bool split_entry(Term t, Term& key, Term& value) {
  t = bare(t);
  if (is_tuple(t) && tuple_count(t) == 2) {
    key = slot(t, 0);
    value = slot(t, 1);
    return true;
  }
  if (is_vector(t) && vector_count(t) == 2) {
    key = vector_get(t, 0);
    value = vector_get(t, 1);
    return true;
  }
  if (t.is_pair() && t.rest().is_pair() && t.rest().rest().is_empty_list()) {
    key = t.first();
    value = t.rest().first();
    return true;
  }
  return false;
}

// Puts all entries of `from` into the builder. False with a failure set.
bool put_entries(Process& p, const char* fn, MapBuilder& builder, Term from) {
  if (is_map(from)) {
    builder.put_all(from);
    return true;
  }
  Each each(p, from);
  for (Term e, key, value; each.next(e);) {
    if (!split_entry(e, key, value)) {
      p.fail_type(fn, "entry", e);
      return false;
    }
    builder.put(key, value);
  }
  return true;
}

Term into_map(Process& p, Term to, Term from) {
  // A few entries are put one by one, which leaves the large map as it is.
  if (map_count(to) > 4 * seqable_count(from)) {
    Each each(p, from);
    for (Term e, key, value; each.next(e);) {
      if (!split_entry(e, key, value)) return p.fail_type("into", "entry", e);
      to = map_put(p, to, key, value);
    }
    return to;
  }
  MapBuilder builder(p);
  builder.put_all(to);
  if (!put_entries(p, "into", builder, from)) return Term::raise();
  return or_oom(p, builder.take());
}

Term into_set(Process& p, Term to, Term from) {
  if (set_count(to) > 4 * seqable_count(from)) {
    Each each(p, from);
    for (Term e; each.next(e);) to = set_add(p, to, e);
    return to;
  }
  MapBuilder builder(p);
  builder.put_all(set_map(to));
  Each each(p, from);
  for (Term e; each.next(e);) builder.put(e, Term::true_());
  return or_oom(p, builder.take_set());
}

Term into_vector(Process& p, Term to, Term from) {
  if (is_vector(from)) return vector_concat(p, to, from);
  std::size_t added = seqable_count(from);
  Each each(p, from);
  if (added < 32) {
    for (Term e; each.next(e);) to = vector_append(p, to, e);
    return to;
  }
  VectorBuilder builder(p);
  Each before(p, to);
  for (Term e; !builder.failed() && before.next(e);) builder.add(e);
  for (Term e; !builder.failed() && each.next(e);) builder.add(e);
  return or_oom(p, builder.take());
}

Term into_tuple(Process& p, Term to, Term from) {
  std::size_t n = tuple_count(to);
  Word* words = allocate_tuple(p, n + seqable_count(from));
  if (words == nullptr) return p.fail_oom();
  for (std::size_t i = 0; i < n; i++) words[i] = slot(to, i).bits();
  Each each(p, from);
  for (Term e; each.next(e);) words[n++] = e.bits();
  return tuple_of_payload(words);
}

// `list` with the elements of `from` in front, one after the other.
Term onto(Process& p, Term list, Term from) {
  Each each(p, from);
  std::size_t n = 0;
  for (Term e; each.next(e); n++) {
    if (n < Heap::kLargeWords) {
      list = p.cons(e, list);
      continue;
    }
    Word* cell = p.try_alloc(2);
    if (cell == nullptr) return Term::absent();
    cell[0] = e.bits();
    cell[1] = list.bits();
    list = Term::pair(cell);
  }
  return list;
}

// Sorts `values`, stable, with `spare` as room for as many. The result is in either.
Term* merge_sort(Term* values, Term* spare, std::size_t n) {
  for (std::size_t width = 1; width < n; width *= 2) {
    for (std::size_t lo = 0; lo < n; lo += 2 * width) {
      std::size_t mid = lo + width < n ? lo + width : n, hi = mid + width < n ? mid + width : n;
      std::size_t a = lo, b = mid, out = lo;
      while (a < mid && b < hi) {
        spare[out++] = compare(values[b], values[a]) < 0 ? values[b++] : values[a++];
      }
      while (a < mid) spare[out++] = values[a++];
      while (b < hi) spare[out++] = values[b++];
    }
    std::swap(values, spare);
  }
  return values;
}

}  // namespace

Term first(Process& p, Args args) {
  Term t = bare(args[0]);
  if (t.is_pair()) return t.first();
  if (!is_seqable(t)) return fail_collection(p, "first", t);
  Each each(p, t);
  Term e;
  return each.next(e) ? e : Term::nil();
}

Term rest(Process& p, Args args) {
  Term t = bare(args[0]);
  if (t.is_pair()) return t.rest();
  if (!is_seqable(t)) return fail_collection(p, "rest", t);
  if (!t.is_boxed()) return Term::empty_list();
  charge_items(p, seqable_count(t));
  Each each(p, t);
  ListBuilder list(p);
  Term e;
  each.next(e);
  while (!list.failed() && each.next(e)) list.add(e);
  return or_oom(p, list.take());
}

Term is_empty(Process& p, Args args) {
  Term t = bare(args[0]);
  if (t.is_pair()) return Term::false_();
  if (!is_seqable(t)) return fail_collection(p, "empty?", t);
  return Term::boolean(seqable_count(t) == 0);
}

Term to_list_value(Process& p, Args args) {
  return convert(p, "seq", args, to_list);
}
Term to_tuple_value(Process& p, Args args) {
  return convert(p, "->tuple", args, to_tuple);
}
Term to_vector_value(Process& p, Args args) {
  return convert(p, "->vector", args, to_vector);
}

Term to_map_value(Process& p, Args args) {
  Term t = bare(args[0]);
  if (is_map(t)) return t;
  if (!is_seqable(t)) return fail_collection(p, "->map", t);
  charge_items(p, 8 * seqable_count(t));
  MapBuilder builder(p);
  if (!put_entries(p, "->map", builder, t)) return Term::raise();
  return or_oom(p, builder.take());
}

Term to_set_value(Process& p, Args args) {
  Term t = bare(args[0]);
  if (is_set(t)) return t;
  if (!is_seqable(t)) return fail_collection(p, "->set", t);
  charge_items(p, 8 * seqable_count(t));
  MapBuilder builder(p);
  Each each(p, t);
  for (Term e; each.next(e);) builder.put(e, Term::true_());
  return or_oom(p, builder.take_set());
}

Term into(Process& p, Args args) {
  Term to = bare(args[0]), from = bare(args[1]);
  if (!is_seqable(from)) return fail_collection(p, "into", from);
  charge_items(p, 4 * seqable_count(from));
  if (to.is_nil()) to = Term::empty_list();
  if (to.is_list()) return or_oom(p, onto(p, to, from));
  if (is_vector(to)) return into_vector(p, to, from);
  if (is_tuple(to)) return into_tuple(p, to, from);
  if (is_map(to)) return into_map(p, to, from);
  if (is_set(to)) return into_set(p, to, from);
  return fail_collection(p, "into", to);
}

Term concat(Process& p, Args args) {
  if (args.size() == 0) return Term::empty_list();
  std::uint32_t last = args.size() - 1;
  for (std::uint32_t i = 0; i <= last; i++) {
    if (!is_seqable(args[i])) return fail_collection(p, "concat", args[i]);
  }
  ListBuilder list(p);
  for (std::uint32_t i = 0; i < last; i++) {
    Each each(p, args[i]);
    for (Term e; !list.failed() && each.next(e);) list.add(e);
  }
  charge_items(p, list.count());
  Term tail = to_list(p, bare(args[last]).is_nil() ? Term::empty_list() : args[last]);
  if (tail == Term::absent()) return p.fail_oom();
  return or_oom(p, list.take(tail));
}

Term reverse(Process& p, Args args) {
  Term t = bare(args[0]);
  if (!is_seqable(t)) return fail_collection(p, "reverse", t);
  if (!t.is_pair()) charge_items(p, seqable_count(t));
  return or_oom(p, onto(p, Term::empty_list(), t));
}

Term last(Process& p, Args args) {
  Term t = bare(args[0]);
  if (is_tuple(t)) return tuple_count(t) == 0 ? Term::nil() : slot(t, tuple_count(t) - 1);
  if (is_vector(t)) return vector_count(t) == 0 ? Term::nil() : vector_get(t, vector_count(t) - 1);
  if (!is_seqable(t)) return fail_collection(p, "last", t);
  std::size_t n = 0;
  Term e;
  for (Each each(p, t); each.next(e);) n++;
  charge_items(p, n);
  return e;
}

Term take(Process& p, Args args) {
  if (!args[0].is_integer()) return p.fail_type("take", "integer", args[0]);
  if (!is_seqable(args[1])) return fail_collection(p, "take", args[1]);
  std::int64_t n = args[0].as_integer();
  ListBuilder list(p);
  Each each(p, args[1]);
  for (Term e; n > 0 && !list.failed() && each.next(e); n--) list.add(e);
  charge_items(p, list.count());
  return or_oom(p, list.take());
}

Term drop(Process& p, Args args) {
  if (!args[0].is_integer()) return p.fail_type("drop", "integer", args[0]);
  if (!is_seqable(args[1])) return fail_collection(p, "drop", args[1]);
  std::int64_t n = args[0].as_integer();
  Term t = to_list(p, bare(args[1]).is_nil() ? Term::empty_list() : args[1]);
  if (t == Term::absent()) return p.fail_oom();
  std::size_t dropped = 0;
  for (; n > 0 && t.is_pair(); n--, dropped++) t = t.rest();
  charge_items(p, dropped);
  return t;
}

Term frequencies(Process& p, Args args) {
  Term t = bare(args[0]);
  if (!is_seqable(t)) return fail_collection(p, "frequencies", t);
  charge_items(p, 8 * seqable_count(t));
  MapBuilder builder(p);
  Each each(p, t);
  for (Term e; each.next(e);) {
    Term* counted = builder.find_or_add(e, Term::integer(0));
    if (counted == nullptr) break;
    *counted = Term::integer(counted->as_integer() + 1);
  }
  return or_oom(p, builder.take());
}

Term sort_values(Process& p, Args args) {
  Term t = bare(args[0]);
  if (!is_seqable(t)) return fail_collection(p, "sort-values", t);
  WorkStack<Term, 64> values, spare;
  Each each(p, t);
  for (Term e; each.next(e);) {
    if (!values.push(e) || !spare.push(e)) return p.fail_oom();
  }
  std::size_t n = values.size();
  charge_items(p, n * (4 + 2 * static_cast<std::size_t>(std::bit_width(n))));
  Term* sorted = merge_sort(values.data(), spare.data(), n);
  return or_oom(p, make_list(p, {sorted, n}));
}

}  // namespace lona::vm::natives
