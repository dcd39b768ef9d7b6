// SPDX-License-Identifier: BSD-2-Clause
// match, the clauses of match and receive, and their patterns.
#include "vm/compiler/unit.hpp"
#include "vm/data/map.hpp"
#include "vm/data/sequence.hpp"
#include "vm/data/vector.hpp"
#include "vm/term/equal.hpp"

namespace lona::vm {

bool Unit::next_clause(Term form, Term& rest, Clause& clause) {
  clause = {};
  clause.pattern = rest.first();
  rest = rest.rest();
  if (rest.is_pair() && is_guard_word(rest.first()) && rest.rest().is_pair() &&
      rest.rest().rest().is_pair()) {
    clause.has_guard = true;
    clause.guard = rest.rest().first();
    rest = rest.rest().rest();
  }
  if (!rest.is_pair()) {
    fail(form, "a pattern without a body");
    return false;
  }
  clause.body = rest.first();
  rest = rest.rest();
  return true;
}

void Unit::match(Term form, Want want) {
  if (!form.rest().is_pair()) return fail(form, "match takes a value and clauses");
  if (IfShape shape = if_shape(form); shape.matches) return if_form(shape, want);
  Register mark = emit().top();
  std::uint32_t line = line_;
  Register subject = any(form.rest().first());
  Emitter::LiveSet before = emit().live();
  Label end;
  Ways ways(input_.arena, emit(), subject);
  bool more = true;
  for (Term rest = form.rest().rest(); rest.is_pair() && !failed_ && more;) {
    Clause next;
    if (!next_clause(form, rest, next)) return;
    clause(next, subject, ways, want, false);
    more = ways.more();
    if (!want.tail && more) emit().branch(Op::kJump, 0, end);
    emit().release_to(ways.top());
    emit().restore_live(before);
    ways.next_clause();
  }
  if (more) {
    ways.arrive();
    emit().line(line);
    emit().op(Op::kBadMatch, subject);
  }
  emit().bind(end);
  emit().release_to(mark);
  if (!want.tail) emit().set_live(want.reg);
}

void Unit::clause(const Clause& clause, Register subject, Ways& ways, Want want, bool take) {
  const std::size_t locals = fn_->locals.size();
  const Emitter::LiveSet before = emit().live();
  pattern(clause.pattern, subject, ways);
  ways.arrive();
  if (clause.has_guard && !failed_) condition(clause.guard, ways.otherwise(), false);
  // No way leads from the body to another clause: of the pattern it needs what has a name only.
  emit().restore_live(before);
  Register top = ways.base();
  for (std::size_t i = locals; i < fn_->locals.size(); ++i) {
    const Register r = fn_->locals[i].reg;
    emit().set_live(r);
    if (r >= top) top = static_cast<Register>(r + 1);
  }
  emit().release_to(top);
  if (take) emit().op(Op::kReceiveTake);
  value(clause.body, want);
  fn_->locals.resize_down(locals);
}

// --- Patterns -----------------------------------------------------------------------------------

void Unit::pattern(Term form, Register subject, Ways& ways) {
  if (failed_ || too_deep()) return;
  form = bare(form);
  if (form.is_symbol()) {
    if (!is_symbol_named(form, "_")) bind_name(form.entry(), subject);
    return;
  }
  if (form.is_pair()) return list_pattern(form, subject, ways);
  if (is_tuple(form)) return tuple_pattern(form, subject, ways);
  if (is_vector(form)) return vector_pattern(form, subject, ways);
  if (is_map(form)) return map_pattern(form, subject, ways);
  if (is_set(form)) return set_pattern(form, subject, ways);
  return constant_pattern(form, subject, ways);
}

void Unit::constant_pattern(Term form, Register subject, Ways& ways) {
  bool pointer = form.is_pair() || form.is_boxed();
  const Op op = pointer ? Op::kBranchNotValue : Op::kBranchNotBits;
  const Word bits = permanent(form).bits();
  const std::uint32_t question = ways.test(op, subject, bits);
  if (ways.settled(question)) return;
  std::uint32_t at = emit().here();
  emit().op_extra(op, subject, 0, 0, bits);
  emit().use(ways.otherwise(question), at, 0);
  ways.holds(question);
}

void Unit::kind_test(Op op, Register subject, Ways& ways) {
  const std::uint32_t question = ways.test(op, subject, 0);
  if (ways.settled(question)) return;
  emit().branch(op, subject, ways.otherwise(question));
  ways.holds(question);
}

void Unit::sized_test(Op op, Register subject, std::size_t n, Ways& ways) {
  const std::uint32_t question = ways.test(op, subject, n);
  if (ways.settled(question)) return;
  emit().branch_extra(op, subject, static_cast<std::uint32_t>(n), 0, ways.otherwise(question));
  ways.holds(question);
}

void Unit::element_pattern(Op op, Register subject, std::size_t i, Term form, Ways& ways) {
  if (failed_ || is_symbol_named(form, "_")) return;
  Register r;
  const std::uint32_t question = ways.load(op, subject, i, r);
  if (!ways.settled(question)) {
    emit().op(op, r, subject, static_cast<std::uint32_t>(i));
    emit().set_live(r);
    ways.holds(question);
  }
  pattern(form, r, ways);
}

void Unit::tuple_pattern(Term form, Register subject, Ways& ways) {
  std::size_t n = tuple_count(form);
  std::size_t fixed = n;
  for (std::size_t i = 0; i < n; ++i) {
    if (!is_symbol_named(slot(form, i), "&")) continue;
    if (i + 2 != n) {
      fail(form, "& stands before the last element of a pattern");
      return;
    }
    fixed = i;
  }
  if (fixed > 0xffff) {
    fail(form, "a pattern with too many elements");
    return;
  }
  sized_test(fixed == n ? Op::kBranchNotTuple : Op::kBranchNotTupleMin, subject, fixed, ways);
  for (std::size_t i = 0; i < fixed; ++i) {
    element_pattern(Op::kTupleGet, subject, i, slot(form, i), ways);
  }
  if (fixed != n && !failed_ && !is_symbol_named(slot(form, n - 1), "_")) {
    ways.arrive();
    std::uint16_t live = emit().live_map();
    Register r = emit().push();
    emit().op_extra(Op::kTupleTail, r, subject, static_cast<std::uint32_t>(fixed), live);
    emit().set_live(r);
    pattern(slot(form, n - 1), r, ways);
  }
}

void Unit::vector_pattern(Term form, Register subject, Ways& ways) {
  std::size_t n = vector_count(form);
  if (n > 0xffff) {
    fail(form, "a pattern with too many elements");
    return;
  }
  sized_test(Op::kBranchNotVector, subject, n, ways);
  for (std::size_t i = 0; i < n && !failed_; ++i) {
    Term element = bare(vector_get(form, i));
    if (is_symbol_named(element, "&")) {
      fail(form, "& is for tuple patterns");
      return;
    }
    element_pattern(Op::kVectorGet, subject, i, element, ways);
  }
}

void Unit::map_pattern(Term form, Register subject, Ways& ways) {
  kind_test(Op::kBranchNotMap, subject, ways);
  for (MapCursor c(form); !c.done() && !failed_; c.next()) {
    Term key = bare(c.key());
    if (key.is_pair() && is_symbol_named(key.first(), "quote") && form_length(key) == 2) {
      key = key.rest().first();
    } else if (!is_constant(key)) {
      fail(form, "the keys of a map pattern are constants");
      return;
    }
    const Word bits = permanent(key).bits();
    Register r;
    const std::uint32_t question = ways.load(Op::kMapGet, subject, bits, r);
    if (!ways.settled(question)) {
      std::uint32_t at = emit().here();
      emit().op_extra(Op::kMapGet, r, subject, 0, bits);
      emit().word(0);
      emit().use(ways.otherwise(question), at, 2);
      emit().set_live(r);
      ways.holds(question);
    }
    pattern(c.value(), r, ways);
  }
}

// The elements of a set have no order: a pattern holds names for all of them, or constants only.
void Unit::set_pattern(Term form, Register subject, Ways& ways) {
  std::size_t n = set_count(form);
  if (is_constant(form) && n != 0) return constant_pattern(form, subject, ways);
  sized_test(Op::kBranchNotSet, subject, n, ways);
  std::uint32_t i = 0;
  for (MapCursor c(set_map(form)); !c.done() && !failed_; c.next(), ++i) {
    Term element = bare(c.key());
    if (!element.is_symbol()) {
      fail(form, "a set pattern holds either names or constants");
      return;
    }
    element_pattern(Op::kSetGet, subject, i, element, ways);
  }
}

// (quote constant), (pid realm local) and (lona.core/bits segment …)
void Unit::list_pattern(Term form, Register subject, Ways& ways) {
  std::size_t n = form_length(form);
  if (is_symbol_named(form.first(), "quote") && n == 2) {
    return constant_pattern(form.rest().first(), subject, ways);
  }
  if (is_bits_form(form)) return bits_pattern(form, subject, ways);
  if (!is_symbol_named(form.first(), "pid") || n != 3) {
    fail(form, "no such pattern");
    return;
  }
  kind_test(Op::kBranchNotPid, subject, ways);
  std::uint32_t part = 0;
  for (Term t = form.rest(); t.is_pair(); t = t.rest(), ++part) {
    element_pattern(Op::kPidPart, subject, part, t.first(), ways);
  }
}

}  // namespace lona::vm
