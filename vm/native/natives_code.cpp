// SPDX-License-Identifier: BSD-2-Clause
// Namespaces, vars, evaluation.
#include <algorithm>
#include <span>

#include "vm/bytecode/disassemble.hpp"
#include "vm/code/function.hpp"
#include "vm/compiler/compiler.hpp"
#include "vm/data/map.hpp"
#include "vm/data/sequence.hpp"
#include "vm/data/string.hpp"
#include "vm/data/vector.hpp"
#include "vm/heap/copy.hpp"
#include "vm/platform/platform.hpp"
#include "vm/reader/reader.hpp"
#include "vm/sched/loads.hpp"
#include "vm/sched/source.hpp"
#include "vm/sched/state.hpp"
#include "vm/term/equal.hpp"

namespace lona::vm::natives {

namespace {

bool is_plain_symbol(Term t) {
  return bare(t).is_symbol();
}

// A namespace, or the one a symbol names; null otherwise.
Namespace* namespace_of(Process& p, Term t) {
  t = bare(t);
  if (is_namespace(t)) return as_namespace(t);
  return t.is_symbol() ? state_of(p).namespaces.find(t.entry()) : nullptr;
}

Term put(Process& p, Term map, std::string_view key, Term value) {
  return map_put(p, map, make_keyword(key), value);
}

}  // namespace

Term create_ns(Process& p, Args args) {
  if (!is_plain_symbol(args[0])) return p.fail_type("create-ns", "symbol", args[0]);
  return state_of(p).namespaces.find_or_create(bare(args[0]).entry())->term();
}

Term find_ns(Process& p, Args args) {
  if (!is_plain_symbol(args[0])) return p.fail_type("find-ns", "symbol", args[0]);
  Namespace* ns = state_of(p).namespaces.find(bare(args[0]).entry());
  return ns == nullptr ? Term::nil() : ns->term();
}

Term ns_name(Process& p, Args args) {
  if (!is_namespace(args[0])) return p.fail_type("ns-name", "namespace", args[0]);
  return Term::symbol(as_namespace(args[0])->name);
}

Term ns_map(Process& p, Args args) {
  Namespace* ns = namespace_of(p, args[0]);
  if (ns == nullptr) return p.fail_type("ns-map", "namespace", args[0]);
  Term map = empty_map(p);
  state_of(p).namespaces.each_var(ns, [&](SymbolEntry* name, Var* var) {
    p.charge(20);
    if (var->is_bound(view_of(p))) map = map_put(p, map, Term::symbol(name), var->term());
  });
  return map;
}

Term all_ns(Process& p, Args) {
  Term list = Term::empty_list();
  state_of(p).namespaces.each([&](Namespace* ns) { list = p.cons(ns->term(), list); });
  return list;
}

Term intern_var(Process& p, Args args) {
  Namespace* ns = namespace_of(p, args[0]);
  if (ns == nullptr) return p.fail_type("intern", "namespace", args[0]);
  if (!is_plain_symbol(args[1])) return p.fail_type("intern", "symbol", args[1]);
  Vm::State& s = state_of(p);
  Var* var = s.namespaces.intern(ns, bare(args[1]).entry());
  Definition d = var->definition(view_of(p));
  const bool has_meta = is_kind(args[1], Kind::kMetaForm);
  if (has_meta) {
    Term meta = s.code.keep(p, slot(args[1], 1));
    if (meta == Term::absent()) return p.fail_oom();
    d.set_meta(meta);
  }
  if (args.size() == 3) {
    Term value = s.code.keep(p, args[2]);
    if (value == Term::absent()) return p.fail_oom();
    s.give_value(d, value);
  }
  const bool changes = has_meta || args.size() == 3;
  return changes && !define_var(p, *var, d) ? p.fail_oom() : var->term();
}

Term refer(Process& p, Args args) {
  Namespace* from = namespace_of(p, args[0]);
  if (from == nullptr) return p.fail_badarg("refer", args);
  state_of(p).namespaces.refer(p.ns(), from, view_of(p));
  return Term::nil();
}

Term alias(Process& p, Args args) {
  Namespace* target = namespace_of(p, args[1]);
  if (target == nullptr || !is_plain_symbol(args[0])) return p.fail_badarg("alias", args);
  state_of(p).namespaces.alias(p.ns(), bare(args[0]).entry(), target);
  return Term::nil();
}

Term resolve(Process& p, Args args) {
  if (!is_plain_symbol(args[0])) return p.fail_type("resolve", "symbol", args[0]);
  Var* var = state_of(p).namespaces.resolve(p.ns(), bare(args[0]).entry(), view_of(p));
  return var == nullptr || !var->is_bound(view_of(p)) ? Term::nil() : var->term();
}

Term var_get(Process& p, Args args) {
  if (!is_var(args[0])) return p.fail_type("var-get", "var", args[0]);
  Var* var = as_var(args[0]);
  Term value = value_of(p, var);
  if (value != Term::unbound()) return value;
  return p.fail("undef", put(p, empty_map(p), "var", Term::symbol(var->name)));
}

namespace {

Term var_meta(Process& p, Var* var) {
  const Definition d = var->definition(view_of(p));
  Term map = d.meta.is_nil() ? empty_map(p) : d.meta;
  map = put(p, map, "name", Term::symbol(var->name));
  map = put(p, map, "ns", var->ns->term());
  if (d.value.is_native()) {
    const Native& native = native_table()[d.value.native_index()];
    map = put(p, map, "native", Term::true_());
    map = put(p, map, "doc", make_string(p, native.doc));
    Reader reader(p, native.arglists);
    ReadOutcome lists = reader.next();
    if (lists.kind == ReadOutcome::Kind::kForm) map = put(p, map, "arglists", lists.form);
  }
  if (d.file != nullptr) {
    map = put(p, map, "file", make_string(p, d.file->full()));
    map = put(p, map, "line", Term::integer(d.line));
  }
  return map;
}

}  // namespace

Term meta(Process& p, Args args) {
  if (is_var(args[0])) return var_meta(p, as_var(args[0]));
  if (is_kind(args[0], Kind::kMetaForm)) return slot(args[0], 1);
  return Term::nil();
}

// --- Evaluation ---------------------------------------------------------------------------------

namespace {

// A form in an arena of its own while it is compiled or expanded.
struct FormArena {
  Arena arena;
  PositionTable positions{arena};
  Term form;
  CompileInput input() { return {arena, positions, form, {}, 0}; }
};

}  // namespace

Term eval(Process& p, Args args) {
  FormArena a;
  a.form = copy_to(a.arena, p, args[0]);
  if (a.form == Term::absent()) return p.fail_oom();
  const Function* f = compile(p, a.input()).function;
  if (f == nullptr) return Term::raise();
  Word* box = p.alloc_box(Kind::kClosure, 1);
  box[1] = reinterpret_cast<Word>(f);
  return p.tail_call(Term::boxed(box), Term::empty_list());
}

namespace {

Term expand(Process& p, Term form, bool once) {
  FormArena a;
  a.form = copy_to(a.arena, p, form);
  if (a.form == Term::absent()) return p.fail_oom();
  Term expanded = macroexpand(p, a.input(), once);
  if (expanded == Term::raise()) return expanded;
  Term result = copy_to(p, a.arena, expanded);
  return result == Term::absent() ? p.fail_oom() : result;
}

// Any collection as a list; `absent` when it is none.
Term as_list(Process& p, Term t) {
  t = bare(t);
  if (t.is_nil()) return Term::empty_list();
  if (t.is_list()) return t;
  ListBuilder list(p);
  if (is_tuple(t)) {
    for (std::size_t i = 0; i < tuple_count(t); ++i) list.add(slot(t, i));
  } else if (is_vector(t)) {
    for (std::size_t i = 0; i < vector_count(t); ++i) list.add(vector_get(t, i));
  } else if (is_set(t)) {
    for (MapCursor c(set_map(t)); !c.done(); c.next()) list.add(c.key());
  } else if (is_map(t)) {
    for (MapCursor c(t); !c.done(); c.next()) list.add(make_pair_tuple(p, c.key(), c.value()));
  } else {
    return Term::absent();
  }
  return list.take();
}

}  // namespace

Term macroexpand_all(Process& p, Args args) {
  return expand(p, args[0], false);
}
Term macroexpand_one(Process& p, Args args) {
  return expand(p, args[0], true);
}

Term apply(Process& p, Args args) {
  std::uint32_t last = args.size() - 1;
  Term list = as_list(p, args[last]);
  if (list == Term::absent()) return p.fail_badarg("apply", args);
  for (std::uint32_t i = last; i > 1; --i) list = p.cons(args[i - 1], list);
  return p.tail_call(args[0], list);
}

namespace {

// Collects text in an arena.
class ArenaSink final : public Sink {
 public:
  explicit ArenaSink(Arena& arena) : Sink(&ArenaSink::put), text_(arena) {}
  std::string_view text() const { return {text_.begin(), text_.size()}; }

 private:
  static bool put(Sink& self, std::string_view piece) {
    for (char c : piece) static_cast<ArenaSink&>(self).text_.push_back(c);
    return true;
  }
  ArenaVector<char> text_;
};

}  // namespace

Term disassemble_function(Process& p, Args args) {
  if (!is_closure(args[0])) return p.fail_type("disassemble", "function", args[0]);
  Arena arena;
  ArenaSink sink(arena);
  disassemble(sink, *function_of(args[0]));
  Term text = make_string(p, sink.text());
  return text == Term::absent() ? p.fail_oom() : text;
}

namespace {

// The form that begins in this line.
std::string_view form_at(std::string_view text, std::uint32_t line) {
  for (; line > 1; --line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  Arena arena;
  Reader reader(arena, text);
  return reader.next().kind == ReadOutcome::Kind::kForm ? text.substr(0, reader.offset())
                                                        : std::string_view();
}

}  // namespace

Term var_source(Process& p, Args args) {
  if (!is_var(args[0])) return p.fail_type("var-source", "var", args[0]);
  const Definition d = as_var(args[0])->definition(view_of(p));
  if (!d.source.is_nil() || d.file == nullptr) return d.source;
  const auto bytes = platform::archive_file(d.file->full());
  const std::string_view form =
      form_at({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, d.line);
  p.charge(static_cast<std::uint32_t>(bytes.size() / 64));
  return form.empty() ? Term::nil() : make_string(p, form);
}

Term load_file(Process& p, Args args) {
  if (!is_string(args[0])) return p.fail_type("load-file", "string", args[0]);
  return vm::load_file(p, string_text(args[0]), Reload::kAlways);
}

Term load_changed(Process& p, Args args) {
  if (!is_string(args[0])) return p.fail_type("load-changed", "string", args[0]);
  return vm::load_file(p, string_text(args[0]), Reload::kIfChanged);
}

Term hold_definitions(Process& p, Args) {
  return vm::hold_definitions(p, NewNames::kHeld) ? Term::nil() : p.fail_oom();
}

Term release_definitions(Process& p, Args args) {
  return vm::release_definitions(p) ? Term::nil() : p.fail_badarg("release-definitions", args);
}

Term loaded_files(Process& p, Args) {
  ListBuilder list(p);
  LoadedFiles& files = state_of(p).loaded_files;
  Guard guard(files.lock, state_of(p).several);
  for (const LoadedFile* file = files.first; file != nullptr; file = file->next) {
    const Term path = make_string(p, file->path->full());
    list.add(make_pair_tuple(p, path, Term::integer(file->times)));
    p.charge(10);
  }
  return list.take();
}

}  // namespace lona::vm::natives
