// SPDX-License-Identifier: BSD-2-Clause
// Comparison, questions about the type of a value, metadata.
#include "vm/code/function.hpp"
#include "vm/code/namespace.hpp"
#include "vm/code/var.hpp"
#include "vm/data/binary.hpp"
#include "vm/data/each.hpp"
#include "vm/data/foreign.hpp"
#include "vm/data/machine_value.hpp"
#include "vm/data/map.hpp"
#include "vm/data/sequence.hpp"
#include "vm/data/string.hpp"
#include "vm/data/vector.hpp"
#include "vm/native/natives_data.hpp"
#include "vm/number/number.hpp"
#include "vm/term/equal.hpp"
#include "vm/term/hash.hpp"
#include "vm/term/symbol.hpp"

namespace lona::vm::natives {

namespace {

bool all_equal(Args args) {
  for (std::uint32_t i = 1; i < args.size(); i++) {
    if (!equal(args[0], args[i])) return false;
  }
  return true;
}

const char* box_type(Kind kind) {
  switch (kind) {
    case Kind::kTuple:
      return "tuple";
    case Kind::kVector:
      return "vector";
    case Kind::kMap:
      return "map";
    case Kind::kSet:
      return "set";
    case Kind::kString:
    case Kind::kText:
      return "string";
    case Kind::kClosure:
      return "fn";
    case Kind::kRef:
      return "ref";
    case Kind::kVar:
      return "var";
    case Kind::kNamespace:
      return "namespace";
    case Kind::kBinary:
    case Kind::kSlice:
      return "binary";
    case Kind::kByteBuffer:
      return "bytebuf";
    default:
      return "value";
  }
}

const char* type_name(Term t) {
  if (NumberType number = number_type(t); number != NumberType::kNone) {
    return number_type_name(number);
  }
  switch (t.tag()) {
    case Tag::kPair:
      return "list";
    case Tag::kSymbol:
      return "symbol";
    case Tag::kKeyword:
      return "keyword";
    case Tag::kPid:
      return "pid";
    case Tag::kSpecial:
      if (t.is_character()) return "char";
      if (t.is_native()) return "fn";
      if (t.is_realm()) return "realm-id";
      if (t.is_boolean()) return "boolean";
      return t.is_empty_list() ? "list" : "nil";
    default:
      if (is_kind(t, Kind::kForeign)) return is_any_pid(t) ? "pid" : "ref";
      if (is_kind(t, Kind::kMachine)) return machine_type_name(machine_type(t));
      return box_type(header_of(t).kind());
  }
}

Term is_box(Args args, Kind kind) {
  return Term::boolean(is_kind(bare(args[0]), kind));
}

bool is_collection(Term t) {
  return t.is_list() || is_tuple(t) || is_vector(t) || is_map(t) || is_set(t);
}

}  // namespace

Term equals(Process&, Args args) {
  return Term::boolean(all_equal(args));
}
Term not_equals(Process&, Args args) {
  return Term::boolean(!all_equal(args));
}
Term is_identical(Process&, Args args) {
  return Term::boolean(args[0] == args[1]);
}
Term compare_values(Process&, Args args) {
  int c = compare(args[0], args[1]);
  return Term::integer(c < 0 ? -1 : c > 0 ? 1 : 0);
}
Term hash_value(Process&, Args args) {
  return Term::integer(static_cast<std::int64_t>(hash_term(args[0]) >> 4));
}
Term not_(Process&, Args args) {
  return Term::boolean(!args[0].is_truthy());
}

Term is_nil(Process&, Args args) {
  return Term::boolean(args[0].is_nil());
}
Term is_true(Process&, Args args) {
  return Term::boolean(args[0] == Term::true_());
}
Term is_false(Process&, Args args) {
  return Term::boolean(args[0] == Term::false_());
}
Term is_boolean(Process&, Args args) {
  return Term::boolean(args[0].is_boolean());
}
Term is_number(Process&, Args args) {
  return Term::boolean(vm::is_number(args[0]));
}
Term is_integer(Process&, Args args) {
  NumberType type = number_type(args[0]);
  return Term::boolean(type == NumberType::kInteger || is_fixed(type));
}
Term is_float(Process&, Args args) {
  NumberType type = number_type(args[0]);
  return Term::boolean(type == NumberType::kFloat || type == NumberType::kFloat32);
}
Term is_ratio(Process&, Args args) {
  return Term::boolean(is_kind(args[0], Kind::kRatio));
}
Term is_string_value(Process&, Args args) {
  return Term::boolean(is_string(args[0]));
}
Term is_char(Process&, Args args) {
  return Term::boolean(args[0].is_character());
}
Term is_symbol(Process&, Args args) {
  return Term::boolean(bare(args[0]).is_symbol());
}
Term is_keyword(Process&, Args args) {
  return Term::boolean(args[0].is_keyword());
}
Term is_list(Process&, Args args) {
  return Term::boolean(bare(args[0]).is_list());
}
Term is_tuple_value(Process&, Args args) {
  return is_box(args, Kind::kTuple);
}
Term is_vector_value(Process&, Args args) {
  return is_box(args, Kind::kVector);
}
Term is_map_value(Process&, Args args) {
  return is_box(args, Kind::kMap);
}
Term is_set_value(Process&, Args args) {
  return is_box(args, Kind::kSet);
}
Term is_coll(Process&, Args args) {
  return Term::boolean(is_collection(bare(args[0])));
}
Term is_seqable_value(Process&, Args args) {
  return Term::boolean(is_seqable(args[0]));
}
Term is_fn(Process&, Args args) {
  return Term::boolean(is_function(args[0]));
}
Term is_var_value(Process&, Args args) {
  return is_box(args, Kind::kVar);
}
Term is_namespace_value(Process&, Args args) {
  return is_box(args, Kind::kNamespace);
}
Term is_pid(Process&, Args args) {
  return Term::boolean(is_any_pid(args[0]));
}
Term is_ref(Process&, Args args) {
  return Term::boolean(is_any_ref(bare(args[0])));
}
Term type_of(Process&, Args args) {
  return make_keyword(type_name(bare(args[0])));
}

Term with_meta(Process& p, Args args) {
  Term value = bare(args[0]), meta = bare(args[1]);
  if (!value.is_symbol() && !is_collection(value)) {
    return p.fail_type("with-meta", "symbol-or-collection", value);
  }
  if (meta.is_nil()) return value;
  if (!is_map(meta)) return p.fail_type("with-meta", "map", meta);
  Word* box = p.alloc_box(Kind::kMetaForm, 2);
  box[1] = value.bits();
  box[2] = meta.bits();
  return Term::boxed(box);
}

}  // namespace lona::vm::natives
