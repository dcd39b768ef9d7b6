// SPDX-License-Identifier: BSD-2-Clause
#include "vm/compiler/unit.hpp"

#include "vm/bytecode/verify.hpp"
#include "vm/data/map.hpp"
#include "vm/data/sequence.hpp"
#include "vm/data/string.hpp"
#include "vm/data/vector.hpp"
#include "vm/heap/copy.hpp"
#include "vm/platform/platform.hpp"
#include "vm/term/equal.hpp"

namespace lona::vm {

bool is_symbol_named(Term t, std::string_view name) {
  t = bare(t);
  return t.is_symbol() && t.entry()->full() == name;
}

bool is_guard_word(Term t) {
  return is_symbol_named(t, "when") || is_symbol_named(t, "lona.core/when");
}

std::size_t form_length(Term list) {
  std::size_t n = 0;
  for (; list.is_pair(); list = list.rest()) n++;
  return n;
}

Unit::Unit(Process& process, const CompileInput& input)
    : process_(process), state_(state_of(process)), input_(input), line_(input.line) {}

void Unit::fail(Term form, std::string_view message) {
  if (failed_) return;
  failed_ = true;
  Process& p = process_;
  Term info = map_put(p, empty_map(p), make_keyword("message"), make_string(p, message));
  p.fail("syntax-error", add_place(form, info));
}

// File, line, column and the form itself.
Term Unit::add_place(Term form, Term info) {
  Process& p = process_;
  Position at = input_.positions.find(form);
  if (at.line == 0) at.line = line_;
  if (!input_.file.empty()) {
    info = map_put(p, info, make_keyword("file"), make_string_repaired(p, input_.file));
  }
  if (at.line != 0) info = map_put(p, info, make_keyword("line"), Term::integer(at.line));
  if (at.column != 0) {
    info = map_put(p, info, make_keyword("column"), Term::integer(at.column));
  }
  constexpr std::size_t kMostWords = 1000;  // what a person would look at
  if (copy_size(input_.arena, form).value_or(kMostWords) >= kMostWords) return info;
  Term copy = copy_to(p, input_.arena, form);
  if (copy != Term::absent() && !copy.is_nil()) info = map_put(p, info, make_keyword("form"), copy);
  return info;
}

void Unit::fail_memory() {
  if (failed_) return;
  failed_ = true;
  process_.fail_oom();
}

// Builds with assertions verify all code that is made.
void Unit::check_code([[maybe_unused]] const Function& f) {
#ifndef NDEBUG
  if (const char* why = verify(f)) platform::panic(why);
#endif
}

bool Unit::too_deep() {
  if (!native_stack_low(process_)) return false;
  fail(Term::nil(), "this form is nested too deeply");
  return true;
}

void Unit::note_line(Term form) {
  Position at = input_.positions.find(form);
  if (at.line != 0) line_ = at.line;
}

const Function* Unit::compile() {
  FunctionScope scope(input_.arena, nullptr);
  fn_ = &scope;
  note_line(input_.form);
  std::uint16_t entry = scope.emit.live_map();
  value(input_.form, kTail);
  if (!failed_ && scope.emit.too_large()) fail(input_.form, "this form is too large");
  if (!failed_ && input_.arena.exhausted()) fail_memory();
  if (failed_) return nullptr;
  Function* f = finish(scope, entry, 0);
  if (f == nullptr) {
    fail_memory();
    return nullptr;
  }
  f->direct_arity = 0;
  f->first_line = line_;
  f->file = input_.file.empty() ? nullptr : intern(input_.file);
  f->ns = process_.ns()->name;
  f->name = intern("top-level");
  check_code(*f);
  return f;
}

// --- Values -------------------------------------------------------------------------------------

void Unit::done(Register r, Want want) {
  if (want.tail) {
    emit().op(Op::kReturn, r);
  } else if (r != want.reg) {
    emit().op(Op::kMove, want.reg, r);
    emit().set_live(want.reg);
  } else {
    emit().set_live(r);
  }
}

Unit::Want Unit::inner(Want want, Register& r) {
  r = want.tail ? emit().push() : want.reg;
  return {r, false};
}

void Unit::operand(Term form, Register r) {
  value(form, {r, false});
  emit().set_live(r);
}

Register Unit::any(Term form) {
  Term b = bare(form);
  if (b.is_symbol()) {
    Place place = find_local(fn_, b.entry());
    if (place.kind == Place::Kind::kRegister) return place.index;
  }
  Register r = emit().push();
  operand(form, r);
  return r;
}

void Unit::value(Term form, Want want) {
  if (failed_ || too_deep()) return;
  form = bare(form);
  if (form.is_symbol()) return symbol(form, want);
  if (form.is_pair()) return list(form, want);
  if (is_constant(form)) return constant(form, want);
  if (is_tuple(form)) return build_tuple(form, want);
  if (is_vector(form)) return build_with_native(form, Fallback::kVector, want);
  if (is_map(form)) return build_with_native(form, Fallback::kHashMap, want);
  if (is_set(form)) return build_with_native(form, Fallback::kHashSet, want);
  constant(form, want);
}

bool Unit::is_constant(Term form, unsigned depth) const {
  if (depth > 100) return false;
  if (form.is_symbol() || form.is_pair()) return false;
  if (!form.is_boxed()) return true;
  switch (header_of(form).kind()) {
    case Kind::kMetaForm:
      return false;
    case Kind::kTuple:
      for (std::size_t i = 0; i < tuple_count(form); ++i) {
        if (!is_constant(slot(form, i), depth + 1)) return false;
      }
      return true;
    case Kind::kVector:
      for (std::size_t i = 0; i < vector_count(form); ++i) {
        if (!is_constant(vector_get(form, i), depth + 1)) return false;
      }
      return true;
    case Kind::kMap:
    case Kind::kSet: {
      Term map = is_set(form) ? set_map(form) : form;
      for (MapCursor c(map); !c.done(); c.next()) {
        if (!is_constant(c.key(), depth + 1) || !is_constant(c.value(), depth + 1)) return false;
      }
      return true;
    }
    default:
      return true;
  }
}

Term Unit::permanent(Term term) {
  Term copy = state_.code.keep(input_.arena, term);
  if (copy == Term::absent()) fail_memory();
  return copy;
}

void Unit::constant(Term term, Want want) {
  Register r;
  inner(want, r);
  auto bits = static_cast<std::int64_t>(term.bits());
  if (!term.is_pair() && !term.is_boxed() && bits == static_cast<std::int32_t>(bits)) {
    auto low = static_cast<std::uint32_t>(bits);
    emit().op(Op::kLoadImmediate, r, low & 0xffff, low >> 16);
  } else {
    emit().op_extra(Op::kLoadConstant, r, 0, 0, permanent(term).bits());
  }
  done(r, want);
}

Place Unit::find_local(FunctionScope* scope, SymbolEntry* name) {
  for (std::size_t i = scope->locals.size(); i > 0; --i) {
    if (same_name(scope->locals[i - 1].name, name)) {
      return {Place::Kind::kRegister, scope->locals[i - 1].reg};
    }
  }
  if (same_name(scope->self, name)) return {Place::Kind::kSelf, 0};
  for (std::size_t i = 0; i < scope->captures.size(); ++i) {
    if (same_name(scope->captures[i].name, name)) {
      return {Place::Kind::kCapture, static_cast<std::uint16_t>(i)};
    }
  }
  if (scope->outer == nullptr) return {};
  Place outside = find_local(scope->outer, name);
  if (outside.kind == Place::Kind::kNone) return {};
  scope->captures.push_back({name, outside});
  return {Place::Kind::kCapture, static_cast<std::uint16_t>(scope->captures.size() - 1)};
}

void Unit::load_place(Place place, Register r) {
  switch (place.kind) {
    case Place::Kind::kRegister:
      if (place.index != r) emit().op(Op::kMove, r, place.index);
      break;
    case Place::Kind::kCapture:
      emit().op(Op::kLoadCapture, r, place.index);
      break;
    case Place::Kind::kSelf:
      emit().op(Op::kLoadSelf, r);
      break;
    case Place::Kind::kNone:
      break;
  }
  emit().set_live(r);
}

Var* Unit::var_of(SymbolEntry* name) {
  Namespaces& namespaces = state_.namespaces;
  if (Var* var = namespaces.resolve(process_.ns(), name, process_.load_)) return var;
  if (name->name_offset == 0) return namespaces.intern(process_.ns(), name);
  // A qualified name of nothing yet: a var in no namespace, looked up again when it is used.
  void* memory = state_.code.allocate(sizeof(Var) / sizeof(Word));
  if (memory == nullptr) {
    fail_memory();
    return namespaces.intern(process_.ns(), intern(name->name()));
  }
  auto* var = new (memory) Var();
  var->ns = process_.ns();
  var->name = name;
  var->set_value(Term::unbound());
  var->box[0] = Header::make(Kind::kVar, 1).bits();
  var->box[1] = reinterpret_cast<Word>(var);
  return var;
}

void Unit::symbol(Term form, Want want) {
  SymbolEntry* name = form.entry();
  Place place = find_local(fn_, name);
  if (place.kind == Place::Kind::kRegister && want.tail) return done(place.index, want);
  Register r;
  inner(want, r);
  if (place.kind != Place::Kind::kNone) {
    load_place(place, r);
  } else {
    if (special_form(form) != nullptr) return fail(form, "a special form is not a value");
    emit().line(line_);
    emit().op_extra(Op::kLoadVar, r, 0, 0, reinterpret_cast<Word>(var_of(name)));
  }
  done(r, want);
}

void Unit::build_tuple(Term tuple, Want want) {
  std::size_t n = tuple_count(tuple);
  Register mark = emit().top();
  Register r;
  inner(want, r);
  Register base = emit().top();
  for (std::size_t i = 0; i < n && !failed_; ++i) operand(slot(tuple, i), emit().push());
  std::uint16_t live = emit().live_map();
  emit().op_extra(Op::kMakeTuple, r, base, static_cast<std::uint32_t>(n), live);
  done(r, want);
  emit().release_to(mark);
  if (!want.tail) emit().set_live(want.reg);
}

void Unit::build_with_native(Term form, Fallback native, Want want) {
  Register mark = emit().top();
  Register result = emit().push();
  emit().push();
  std::uint32_t n = 0;
  auto add = [&](Term element) {
    if (failed_) return;
    operand(element, emit().push());
    n++;
  };
  if (is_vector(form)) {
    for (std::size_t i = 0; i < vector_count(form); ++i) add(vector_get(form, i));
  } else {
    for (MapCursor c(is_set(form) ? set_map(form) : form); !c.done(); c.next()) {
      add(c.key());
      if (is_map(form)) add(c.value());
    }
  }
  std::uint16_t live = emit().live_map();
  emit().line(line_);
  emit().op_extra(Op::kCallNative, result + 2u, n, live, static_cast<Word>(native));
  emit().release_to(mark);
  done(result, want);
}

// --- Lists --------------------------------------------------------------------------------------

SymbolEntry* Unit::special_form(Term head) {
  head = bare(head);
  if (!head.is_symbol()) return nullptr;
  SymbolEntry* name = head.entry();
  if (name->full() == "lona.process/receive") name = intern("receive");
  if (name->full().starts_with("lona.core/")) name = intern(name->name());
  return is_special_form(name) && !is_local(name) ? name : nullptr;
}

void Unit::list(Term form, Want want) {
  std::uint32_t outer_line = line_;
  note_line(form);
  if (SymbolEntry* special = special_form(form.first())) {
    std::string_view name = special->full();
    Term arguments = form.rest();
    if (name == "quote") {
      if (form_length(arguments) != 1) return fail(form, "quote takes one form");
      constant(arguments.first(), want);
    } else if (name == "do") {
      body(arguments, want);
    } else if (name == "def") {
      def(form, want);
    } else if (name == "fn*") {
      function(form, want);
    } else if (name == "match") {
      match(form, want);
    } else if (name == "receive") {
      receive(form, want);
    } else {
      if (form_length(arguments) != 1 || !bare(arguments.first()).is_symbol()) {
        return fail(form, "var takes one symbol");
      }
      SymbolEntry* target = bare(arguments.first()).entry();
      const Load* view = process_.load_;
      Var* var = state_.namespaces.resolve(process_.ns(), target, view);
      if (var == nullptr || !var->is_bound(view)) {
        failed_ = true;
        process_.fail("undef", map_put(process_, empty_map(process_), make_keyword("var"),
                                       Term::symbol(target)));
        return;
      }
      constant(var->term(), want);
    }
  } else if (is_bits_form(form)) {
    bits_expression(form, want);
  } else if (macro_of(form) != nullptr) {
    Term expanded = expand_all(form);
    if (!failed_) value(expanded, want);
  } else {
    call(form, want);
  }
  line_ = outer_line;
}

void Unit::body(Term forms, Want want) {
  if (!forms.is_pair()) return constant(Term::nil(), want);
  for (; forms.rest().is_pair() && !failed_; forms = forms.rest()) {
    Register mark = emit().top();
    operand(forms.first(), emit().push());
    emit().release_to(mark);
  }
  value(forms.first(), want);
}

void Unit::call(Term form, Want want) {
  Term head = bare(form.first());
  Term arguments = form.rest();
  if (Term value = folded(form, kMostFolded); value.is_integer()) return constant(value, want);
  if (head.is_symbol() && !is_local(head.entry())) {
    if (intrinsic(head.entry(), arguments, want)) return;
  }
  call_values(head, arguments, want);
}

void Unit::call_values(Term head, Term arguments, Want want) {
  Register mark = emit().top();
  // The result comes where the callee's header is; best that is where it is wanted.
  bool in_place = !want.tail && want.reg + 1 == mark;
  Register result = in_place ? want.reg : emit().push();
  emit().push();
  std::uint32_t line = line_;
  bool self = head.is_symbol() && find_local(fn_, head.entry()).kind == Place::Kind::kSelf;
  bool global = head.is_symbol() && !is_local(head.entry());
  if (global && special_form(head) != nullptr) return fail(head, "a special form is not a value");
  if (!self && !global) operand(head, result);
  std::uint32_t n = 0;
  for (; arguments.is_pair() && !failed_; arguments = arguments.rest(), ++n) {
    operand(arguments.first(), emit().push());
  }
  if (n > 0xff00) return fail(head, "too many arguments");
  if (self && (fn_->variadic || n != fn_->required)) {
    // The general call finds out about arity; its callee goes into the header's place.
    self = false;
    emit().op(Op::kLoadSelf, result);
    emit().set_live(result);
  }
  std::uint16_t live = emit().live_map();
  std::uint32_t k = result + 2u;
  line_ = line;
  emit().line(line);
  if (self) {
    emit().op_extra(want.tail ? Op::kTailSelf : Op::kCallSelf, k, n, live, 0);
  } else if (global) {
    emit().op_extra(want.tail ? Op::kTailVar : Op::kCallVar, k, n, live,
                    reinterpret_cast<Word>(var_of(head.entry())));
  } else {
    emit().op_extra(want.tail ? Op::kTailRegister : Op::kCallRegister, k, n, live, 0);
  }
  emit().release_to(mark);
  if (!want.tail) done(result, want);
}

}  // namespace lona::vm
