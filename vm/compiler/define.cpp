// SPDX-License-Identifier: BSD-2-Clause
// def and fn*.
#include <bit>

#include "vm/compiler/unit.hpp"
#include "vm/data/map.hpp"
#include "vm/data/sequence.hpp"
#include "vm/sched/loads.hpp"
#include "vm/term/equal.hpp"

namespace lona::vm {

namespace {

bool is_function_form(Term form) {
  return form.is_pair() && form.first() == Term::symbol(intern("fn*"));
}

}  // namespace

void Unit::def(Term form, Want want) {
  std::size_t n = form_length(form) - 1;
  if (n < 1 || n > 2) return fail(form, "def takes a name and a value");
  Term target = form.rest().first();
  Term meta = Term::nil();
  while (is_kind(target, Kind::kMetaForm)) {
    if (meta.is_nil()) meta = slot(target, 1);
    target = slot(target, 0);
  }
  if (!target.is_symbol()) return fail(form, "def takes a symbol as name");
  SymbolEntry* name = target.entry();
  if (is_special_form(name) && n == 2) return fail(form, "a special form cannot be defined");

  Namespaces& namespaces = state_.namespaces;
  Var* var = namespaces.resolve(process_.ns(), name, view_of(process_));
  if (var == nullptr || !var->is_process_bound(view_of(process_))) {
    Namespace* ns = process_.ns();
    if (name->name_offset != 0) {
      ns = namespaces.find(intern(name->ns()));
      if (ns == nullptr) return fail(form, "def of a name in a namespace that does not exist");
    }
    var = namespaces.intern(ns, intern(name->name()));
  }

  Register mark = emit().top();
  Register r;
  inner(want, r);
  if (n == 2) {
    const Term value = form.rest().rest().first();
    const bool declares = !var->is_bound(view_of(process_)) && is_function_form(value);
    if (declares) var->declare();
    name_hint_ = var->name;
    operand(value, r);
    name_hint_ = nullptr;
    if (failed_ && declares) var->undeclare();
  }
  std::uint32_t meta_register = kNoRegister;
  if (is_map(meta) && map_count(meta) != 0) {
    meta_register = emit().push();
    operand(meta, static_cast<Register>(meta_register));
  }
  std::uint16_t live = emit().live_map();
  emit().line(line_);
  emit().op_extra(n == 2 ? Op::kDefine : Op::kDeclare, r, meta_register, live,
                  reinterpret_cast<Word>(var));
  done(r, want);
  emit().release_to(mark);
  if (!want.tail) emit().set_live(want.reg);
}

void Unit::parameters(Term form, Term tuple) {
  std::size_t n = tuple_count(tuple);
  for (std::size_t i = 0; i < n; ++i) {
    Term p = bare(slot(tuple, i));
    if (!p.is_symbol() || p.entry()->name_offset != 0) {
      return fail(form, "a parameter is a plain symbol (patterns belong in match)");
    }
    if (p.entry()->full() == "&") {
      if (i + 2 != n || fn_->variadic) return fail(form, "& stands before the last parameter");
      fn_->variadic = true;
      continue;
    }
    Register r = emit().push();
    emit().set_live(r);
    fn_->locals.push_back({p.entry(), r});
    if (!fn_->variadic) fn_->required++;
  }
}

void Unit::function(Term form, Want want) {
  Term rest = form.rest();
  SymbolEntry* self = nullptr;
  if (rest.is_pair() && bare(rest.first()).is_symbol()) {
    self = bare(rest.first()).entry();
    rest = rest.rest();
  }
  if (!rest.is_pair() || !is_tuple(bare(rest.first()))) {
    return fail(form, "fn* takes a tuple of parameters and a body");
  }
  FunctionScope scope(input_.arena, fn_);
  scope.self = self;
  SymbolEntry* name = self != nullptr ? self : name_hint_ != nullptr ? name_hint_ : intern("fn");
  name_hint_ = nullptr;
  std::uint32_t first_line = line_;
  fn_ = &scope;
  parameters(form, bare(rest.first()));
  std::uint16_t entry = scope.emit.live_map();
  if (!failed_) body(rest.rest(), kTail);
  fn_ = scope.outer;
  line_ = first_line;
  if (!failed_ && scope.emit.too_large()) fail(form, "this function is too large");
  if (failed_) return;

  Function* f = finish(scope, entry, scope.required + (scope.variadic ? 1u : 0u));
  if (f == nullptr) return fail_memory();
  f->required = scope.required;
  f->variadic = scope.variadic;
  f->direct_arity = scope.variadic ? Function::kNoDirectCall : scope.required;
  f->captures = static_cast<std::uint16_t>(scope.captures.size());
  f->name = name;
  f->ns = process_.ns()->name;
  f->file = input_.file.empty() ? nullptr : intern(input_.file);
  f->first_line = first_line;
  check_code(*f);

  if (scope.captures.empty()) {
    Word* box = state_.code.allocate(2);
    if (box == nullptr) return fail_memory();
    box[0] = Header::make(Kind::kClosure, 1).bits();
    box[1] = reinterpret_cast<Word>(f);
    f->closure = Term::boxed(box).bits();
    return constant(Term::boxed(box), want);
  }
  Register mark = emit().top();
  Register r;
  inner(want, r);
  ArenaVector<std::uint16_t> registers(input_.arena);
  for (const FunctionScope::Capture& c : scope.captures) {
    if (c.outside.kind == Place::Kind::kRegister) {
      registers.push_back(c.outside.index);
    } else {
      Register loaded = emit().push();
      load_place(c.outside, loaded);
      registers.push_back(loaded);
    }
  }
  emit().op_extra(Op::kMakeClosure, r, static_cast<std::uint32_t>(registers.size()),
                  emit().live_map(), reinterpret_cast<Word>(f));
  for (std::size_t i = 0; i < registers.size(); i += 4) {
    std::array<std::uint16_t, 4> four{};
    for (std::size_t j = 0; j < 4 && i + j < registers.size(); ++j) four[j] = registers[i + j];
    emit().word(std::bit_cast<Word>(four));
  }
  done(r, want);
  emit().release_to(mark);
  if (!want.tail) emit().set_live(want.reg);
}

}  // namespace lona::vm
