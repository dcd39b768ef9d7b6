// SPDX-License-Identifier: BSD-2-Clause
// Collections by key and index, and their construction.
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

// The element at `index`, `absent` when there is none. `t` is a list, tuple, vector, string or nil.
Term element_at(Process& p, Term t, std::size_t index) {
  if (is_tuple(t)) return index < tuple_count(t) ? slot(t, index) : Term::absent();
  if (is_vector(t)) return index < vector_count(t) ? vector_get(t, index) : Term::absent();
  if (is_string(t)) {
    if (index >= string_count(t)) return Term::absent();
    std::size_t at = text_offset(p, t, index);
    return Term::character(utf8::decode(string_text(t).substr(at)).code_point);
  }
  for (; t.is_pair(); t = t.rest()) {
    if (index-- == 0) return t.first();
  }
  return Term::absent();
}

bool is_indexed(Term t) {
  return t.is_list() || t.is_nil() || is_tuple(t) || is_vector(t) || is_string(t);
}

Term or_default(Term found, Args args) {
  if (found != Term::absent()) return found;
  return args.size() > 2 ? args[2] : Term::nil();
}

// A map; nil is an empty one. `absent` for other values.
Term map_argument(Process& p, Term t) {
  t = bare(t);
  if (t.is_nil()) return empty_map(p);
  return is_map(t) ? t : Term::absent();
}

Term put_element(Process& p, Term coll, Args args) {
  Term index = args[1];
  if (!index.is_integer() || index.as_integer() < 0) {
    return p.fail_type("put", "index", index);
  }
  auto i = static_cast<std::size_t>(index.as_integer());
  if (is_vector(coll)) {
    if (i == vector_count(coll)) return vector_append(p, coll, args[2]);
    if (i < vector_count(coll)) return vector_put(p, coll, i, args[2]);
    return p.fail("out-of-bounds", index);
  }
  std::size_t n = tuple_count(coll);
  if (i >= n) return p.fail("out-of-bounds", index);
  Word* copy = allocate_tuple(p, n);
  if (copy == nullptr) return p.fail_oom();
  for (std::size_t k = 0; k < n; k++) copy[k] = slot(coll, k).bits();
  copy[i] = args[2].bits();
  return tuple_of_payload(copy);
}

template <class Pick>
Term list_of_entries(Process& p, const char* fn, Args args, Pick pick) {
  Term map = map_argument(p, args[0]);
  if (map == Term::absent()) return p.fail_type(fn, "map", args[0]);
  charge_items(p, map_count(map));
  ListBuilder list(p);
  for (MapCursor c(map); !c.done(); c.next()) list.add(pick(c));
  return or_oom(p, list.take());
}

Term set_argument(Term t) {
  t = bare(t);
  return is_set(t) ? t : Term::absent();
}

}  // namespace

Term count(Process& p, Args args) {
  Term t = args[0];
  if (!is_seqable(t)) return p.fail_type("count", "collection", t);
  std::size_t n = seqable_count(t);
  if (t.is_pair()) charge_items(p, n);
  return Term::integer(static_cast<std::int64_t>(n));
}

Term nth(Process& p, Args args) {
  Term t = bare(args[0]), index = args[1];
  if (!is_indexed(t)) return p.fail_type("nth", "indexed", t);
  if (!index.is_integer()) return p.fail_type("nth", "integer", index);
  if (index.as_integer() < 0) return or_default(Term::absent(), args);
  auto i = static_cast<std::size_t>(index.as_integer());
  if (t.is_pair()) charge_items(p, i);
  return or_default(element_at(p, t, i), args);
}

Term get(Process& p, Args args) {
  Term t = bare(args[0]), key = args[1];
  if (is_map(t)) return or_default(map_get(t, key), args);
  if (t.is_nil()) return or_default(Term::absent(), args);
  if (is_set(t)) return or_default(set_contains(t, key) ? key : Term::absent(), args);
  if (!is_tuple(t) && !is_vector(t)) return p.fail_type("get", "map", t);
  bool index = key.is_integer() && key.as_integer() >= 0;
  return or_default(
      index ? element_at(p, t, static_cast<std::size_t>(key.as_integer())) : Term::absent(), args);
}

Term put(Process& p, Args args) {
  constexpr std::uint32_t kPathOfNodes = 16;  // a new one in a trie takes so many reductions
  Term t = bare(args[0]);
  if (is_map(t)) {
    if (!map_is_small(t)) p.charge(kPathOfNodes);
    return map_put(p, t, args[1], args[2]);
  }
  if (t.is_nil()) return map_put(p, empty_map(p), args[1], args[2]);
  if (is_tuple(t) || is_vector(t)) return put_element(p, t, args);
  return p.fail_type("put", "map", t);
}

Term dissoc(Process& p, Args args) {
  Term map = map_argument(p, args[0]);
  if (map == Term::absent()) return p.fail_type("dissoc", "map", args[0]);
  for (std::uint32_t i = 1; i < args.size(); i++) map = map_remove(p, map, args[i]);
  return map;
}

Term contains(Process& p, Args args) {
  Term t = bare(args[0]);
  if (!is_map(t)) return p.fail_type("contains?", "map", t);
  return Term::boolean(map_get(t, args[1]) != Term::absent());
}

Term keys(Process& p, Args args) {
  return list_of_entries(p, "keys", args, [](const MapCursor& c) { return c.key(); });
}

Term vals(Process& p, Args args) {
  return list_of_entries(p, "vals", args, [](const MapCursor& c) { return c.value(); });
}

Term merge(Process& p, Args args) {
  Term all = empty_map(p);
  for (std::uint32_t i = 0; i < args.size(); i++) {
    Term map = map_argument(p, args[i]);
    if (map == Term::absent()) return p.fail_type("merge", "map", args[i]);
    charge_items(p, map_count(map));
    if (map_count(all) == 0) {
      all = map;
    } else if (map_count(map) <= 8) {
      all = map_merge(p, all, map);
    } else {
      MapBuilder builder(p);
      builder.put_all(all);
      builder.put_all(map);
      all = builder.take();
      if (all == Term::absent()) return p.fail_oom();
    }
  }
  return all;
}

Term set_add_values(Process& p, Args args) {
  Term set = set_argument(args[0]);
  if (set == Term::absent()) return p.fail_type("set-add", "set", args[0]);
  for (std::uint32_t i = 1; i < args.size(); i++) set = set_add(p, set, args[i]);
  return set;
}

Term set_remove_values(Process& p, Args args) {
  Term set = set_argument(args[0]);
  if (set == Term::absent()) return p.fail_type("set-remove", "set", args[0]);
  for (std::uint32_t i = 1; i < args.size(); i++) set = set_remove(p, set, args[i]);
  return set;
}

Term set_contains_value(Process& p, Args args) {
  Term set = set_argument(args[0]);
  if (set == Term::absent()) return p.fail_type("set-contains?", "set", args[0]);
  return Term::boolean(set_contains(set, args[1]));
}

Term prepend(Process& p, Args args) {
  Term list = bare(args[0]);
  if (list.is_nil()) list = Term::empty_list();
  if (!list.is_list()) return p.fail_type("prepend", "list", list);
  return p.cons(args[1], list);
}

Term append(Process& p, Args args) {
  Term t = bare(args[0]);
  if (is_vector(t)) {
    for (std::uint32_t i = 1; i < args.size(); i++) t = vector_append(p, t, args[i]);
    return t;
  }
  if (!is_tuple(t)) return p.fail_type("append", "vector-or-tuple", t);
  std::size_t n = tuple_count(t);
  Word* copy = allocate_tuple(p, n + args.size() - 1);
  if (copy == nullptr) return p.fail_oom();
  for (std::size_t i = 0; i < n; i++) copy[i] = slot(t, i).bits();
  for (std::uint32_t i = 1; i < args.size(); i++) copy[n + i - 1] = args[i].bits();
  return tuple_of_payload(copy);
}

Term list(Process& p, Args args) {
  Term result = Term::empty_list();
  for (std::uint32_t i = args.size(); i-- > 0;) result = p.cons(args[i], result);
  return result;
}

Term tuple(Process& p, Args args) {
  Word* words = allocate_tuple(p, args.size());
  if (words == nullptr) return p.fail_oom();
  for (std::uint32_t i = 0; i < args.size(); i++) words[i] = args[i].bits();
  return tuple_of_payload(words);
}

Term vector(Process& p, Args args) {
  VectorBuilder builder(p);
  for (std::uint32_t i = 0; i < args.size(); i++) builder.add(args[i]);
  return or_oom(p, builder.take());
}

Term vector_slice_of(Process& p, Args args) {
  Term v = bare(args[0]);
  if (!is_vector(v)) return p.fail_type("vector-slice", "vector", v);
  std::size_t offset, size;
  if (!range_arguments(p, "vector-slice", args, 1, vector_count(v), offset, size)) {
    return Term::raise();
  }
  return vector_slice(p, v, offset, offset + size);
}

Term vector_concat_of(Process& p, Args args) {
  Term all = empty_vector(p);
  for (std::uint32_t i = 0; i < args.size(); i++) {
    Term v = bare(args[i]);
    if (!is_vector(v)) return p.fail_type("vector-concat", "vector", v);
    all = vector_concat(p, all, v);
  }
  p.charge(4 * args.size());
  return all;
}

Term hash_map(Process& p, Args args) {
  if (args.size() % 2 != 0) return p.fail_badarg("hash-map", args);
  MapBuilder builder(p);
  for (std::uint32_t i = 0; i < args.size(); i += 2) builder.put(args[i], args[i + 1]);
  return or_oom(p, builder.take());
}

Term hash_set(Process& p, Args args) {
  MapBuilder builder(p);
  for (std::uint32_t i = 0; i < args.size(); i++) builder.put(args[i], Term::true_());
  return or_oom(p, builder.take_set());
}

}  // namespace lona::vm::natives
