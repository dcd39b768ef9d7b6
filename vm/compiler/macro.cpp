// SPDX-License-Identifier: BSD-2-Clause
// Macro expansion: the macro's function runs on the compiling process, its result is copied into
// the arena at once, so forms never move while they are compiled.
#include "vm/compiler/unit.hpp"
#include "vm/data/map.hpp"
#include "vm/data/sequence.hpp"
#include "vm/heap/copy.hpp"
#include "vm/interp/interp.hpp"
#include "vm/sched/loads.hpp"
#include "vm/term/equal.hpp"

namespace lona::vm {

Var* Unit::macro_of(Term form) {
  Term head = bare(form.first());
  if (!head.is_symbol() || (fn_ != nullptr && is_local(head.entry()))) return nullptr;
  const Load* view = view_of(process_);
  Var* var = state_.namespaces.resolve(process_.ns(), head.entry(), view);
  return var != nullptr && var->is_macro(view) && var->is_bound(view) ? var : nullptr;
}

Term Unit::expand_once(Term form, Var* macro) {
  if (too_deep()) return Term::nil();
  ArenaVector<Term> arguments(input_.arena);
  for (Term t = form.rest(); t.is_pair(); t = t.rest()) arguments.push_back(t.first());
  Term result =
      run_nested(process_, value_of(process_, macro), {arguments.begin(), arguments.size()});
  if (result == Term::raise()) {
    failed_ = true;
    tell_place(form);
    return Term::nil();
  }
  Term copy = copy_to(input_.arena, process_, result);
  if (copy == Term::absent()) {
    fail_memory();
    return Term::nil();
  }
  Position at = input_.positions.find(form);
  if (at.line == 0) at.line = line_;
  if (input_.positions.find(copy).line == 0) input_.positions.put(copy, at);
  return copy;
}

Term Unit::expand_all(Term form) {
  constexpr unsigned kMost = 10'000;
  form = bare(form);
  const Term first = form;
  for (unsigned n = 0; !failed_ && form.is_pair() && special_form(form.first()) == nullptr; ++n) {
    Var* macro = macro_of(form);
    if (macro == nullptr) break;
    if (n == kMost) {
      fail(first, "the expansion of this form does not come to an end");
      break;
    }
    form = bare(expand_once(form, macro));
  }
  return form;
}

// A macro that refuses its form with [:error :syntax-error %{:message …}] need not know where the
// form is.
void Unit::tell_place(Term form) {
  const Term reason = process_.exit_reason_;
  if (!is_tuple(reason) || tuple_count(reason) != 3 || !is_map(slot(reason, 2)) ||
      slot(reason, 1) != make_keyword("syntax-error") ||
      map_get(slot(reason, 2), make_keyword("line")) != Term::absent()) {
    return;
  }
  Term info = add_place(form, slot(reason, 2));
  if (is_map(info)) process_.fail("syntax-error", info);
}

Term Unit::expand(Term form, bool once) {
  FunctionScope scope(input_.arena, nullptr);
  fn_ = &scope;
  note_line(form);
  form = bare(form);
  if (once) {
    Var* macro = form.is_pair() && special_form(form.first()) == nullptr ? macro_of(form) : nullptr;
    if (macro != nullptr) form = expand_once(form, macro);
  } else {
    form = expand_all(form);
  }
  return failed_ ? Term::raise() : form;
}

CompileResult compile(Process& process, const CompileInput& input) {
  Unit unit(process, input);
  return {unit.compile()};
}

Term macroexpand(Process& process, const CompileInput& input, bool once) {
  Unit unit(process, input);
  return unit.expand(input.form, once);
}

}  // namespace lona::vm
