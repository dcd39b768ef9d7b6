// SPDX-License-Identifier: BSD-2-Clause
// receive: a loop over the mailbox around the clauses (match.cpp), which skips what they cannot
// mean.
#include "vm/compiler/unit.hpp"
#include "vm/data/sequence.hpp"
#include "vm/term/equal.hpp"

namespace lona::vm {

namespace {

// Whether a pattern binds this name to a part of the value.
bool binds(Term pattern, SymbolEntry* name, unsigned depth = 0) {
  pattern = bare(pattern);
  if (pattern.is_symbol()) return pattern == Term::symbol(name);
  if (!is_tuple(pattern) || depth == 16) return false;
  for (std::size_t i = 0; i < tuple_count(pattern); ++i) {
    if (binds(slot(pattern, i), name, depth + 1)) return true;
  }
  return false;
}

// The name that the guard `(= part name)` of a clause compares a part of the message with; or null.
SymbolEntry* compared_with_part(Term pattern, Term guard) {
  Term a = bare(guard.rest().first()), b = bare(guard.rest().rest().first());
  if (!a.is_symbol() || !b.is_symbol()) return nullptr;
  bool a_is_part = binds(pattern, a.entry()), b_is_part = binds(pattern, b.entry());
  if (a_is_part == b_is_part) return nullptr;
  return a_is_part ? b.entry() : a.entry();
}

}  // namespace

// When all clauses compare a part of the message with the same local value, and that turns out to
// be a fresh reference, no message from before it was made can be meant (ReceiveMark).
void Unit::receive_mark(Term clauses, std::size_t items) {
  SymbolEntry* reference = nullptr;
  for (Term rest = clauses; items > 0;) {
    if (items < 4 || !is_guard_word(rest.rest().first())) return;
    Term guard = bare(rest.rest().rest().first());
    if (!guard.is_pair() || form_length(guard) != 3) return;
    const char* name = intrinsic_name(guard.first());
    if (name == nullptr || std::string_view(name) != "=") return;
    SymbolEntry* other = compared_with_part(rest.first(), guard);
    if (other == nullptr || (reference != nullptr && !same_name(other, reference))) return;
    reference = other;
    for (unsigned i = 0; i < 4; ++i, --items) rest = rest.rest();
  }
  if (reference == nullptr || !is_local(reference)) return;
  Register mark = emit().top();
  emit().op(Op::kReceiveMark, any(Term::symbol(reference)));
  emit().release_to(mark);
}

namespace {

// What a clause wants at least: {arity, first element} of a tuple, {-1 - arity} when its first
// element may be anything, or {nil, the message}. See interp/shapes.hpp.
bool shape_of(Term pattern, Term& arity, Term& value) {
  pattern = bare(pattern);
  const auto is_immediate = [](Term t) { return !t.is_pair() && !t.is_boxed() && !t.is_symbol(); };
  if (is_immediate(pattern)) {
    arity = Term::nil();
    value = pattern;
    return true;
  }
  if (!is_tuple(pattern)) return false;
  const std::size_t n = tuple_count(pattern);
  for (std::size_t i = 0; i < n; ++i) {
    if (is_symbol_named(slot(pattern, i), "&")) return false;
  }
  value = n == 0 ? Term::nil() : bare(slot(pattern, 0));
  const bool fixed = n != 0 && is_immediate(value);
  const auto count = static_cast<std::int64_t>(n);
  arity = Term::integer(fixed ? count : -1 - count);
  if (!fixed) value = Term::nil();
  return true;
}

}  // namespace

// All shapes that messages of these clauses have, in one constant; nil when some clause may mean
// any message.
Term Unit::receive_shapes(Term clauses, std::size_t items) {
  constexpr std::size_t kMost = 8;
  std::array<Term, 2 * kMost> shapes;
  std::size_t count = 0;
  for (Term rest = clauses; items > 0;) {
    Clause clause;
    const std::size_t before = form_length(rest);
    if (!next_clause(clauses, rest, clause)) return Term::nil();
    const std::size_t taken = before - form_length(rest);
    Term arity, value;
    if (taken > items || !shape_of(clause.pattern, arity, value)) return Term::nil();
    items -= taken;
    bool known = false;
    for (std::size_t i = 0; i < count; i += 2) {
      known = known || (shapes[i] == arity && shapes[i + 1] == value);
    }
    if (known) continue;
    if (count == shapes.size()) return Term::nil();
    shapes[count++] = arity;
    shapes[count++] = value;
  }
  if (count == 0) return Term::nil();
  return permanent(make_tuple(input_.arena, std::span<const Term>(shapes.data(), count)));
}

// (receive pattern body … :after milliseconds body)
void Unit::receive(Term form, Want want) {
  Term clauses = form.rest();
  Term after, after_body;
  bool has_after = false;
  std::size_t clause_items = form_length(clauses);
  for (Term t = clauses; t.is_pair(); t = t.rest()) {
    if (form_length(t) == 3 && t.first() == make_keyword("after")) {
      has_after = true;
      clause_items -= 3;
      after = t.rest().first();
      after_body = t.rest().rest().first();
    }
  }
  Register mark = emit().top();
  std::uint32_t line = line_;
  std::uint32_t limit = kNoRegister;
  if (has_after) limit = any(after);
  emit().line(line);
  emit().op(Op::kReceiveTimer, limit);
  receive_mark(clauses, clause_items);
  const Term shapes = receive_shapes(clauses, clause_items);
  Label look, empty, timeout, end;
  Register message = emit().push();
  Emitter::LiveSet without = emit().live();
  emit().bind(look);
  emit().branch(Op::kReceivePeek, message, empty);
  emit().set_live(message);
  Emitter::LiveSet before = emit().live();
  Ways ways(input_.arena, emit(), message);
  bool more = true;
  for (Term rest = clauses; clause_items > 0 && !failed_ && more;) {
    Clause next;
    std::size_t items = form_length(rest);
    if (!next_clause(form, rest, next)) return;
    items -= form_length(rest);
    if (items > clause_items) return fail(form, "a pattern without a body");
    clause_items -= items;
    clause(next, message, ways, want, true);
    if (!want.tail) emit().branch(Op::kJump, 0, end);
    more = ways.more();
    emit().release_to(ways.top());
    emit().restore_live(before);
    ways.next_clause();
  }
  if (more) {
    ways.arrive();
    const std::uint32_t next = emit().here();
    emit().op_extra(Op::kReceiveNext, 0, 0, 0, shapes.bits());
    emit().use(look, next, 0);
  }
  emit().restore_live(without);
  emit().bind(empty);
  emit().line(line);
  std::uint32_t wait = emit().here();
  const std::uint16_t live = emit().live_map();
  emit().op_extra(Op::kReceiveWait, limit, 0, 0, 0);
  emit().word(live);
  emit().use(look, wait, 0);
  if (has_after) {
    emit().use(timeout, wait, 1);
    emit().bind(timeout);
    value(after_body, want);
  }
  emit().bind(end);
  emit().release_to(mark);
  if (!want.tail) emit().set_live(want.reg);
}

}  // namespace lona::vm
