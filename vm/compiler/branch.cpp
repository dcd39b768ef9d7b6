// SPDX-License-Identifier: BSD-2-Clause
// Conditions and the intrinsics that have instructions of their own.
#include "vm/compiler/unit.hpp"
#include "vm/data/map.hpp"
#include "vm/data/sequence.hpp"
#include "vm/data/vector.hpp"
#include "vm/sched/loads.hpp"
#include "vm/term/equal.hpp"

namespace lona::vm {

namespace {

enum class Form : std::uint8_t { kArithmetic, kCompare, kUnary, kAllocating };
struct Intrinsic {
  const char* name;
  Form form;
  Op op;
  Op small;   // with a small number as second operand
  bool fold;  // (op a b c) is (op (op a b) c)
};
constexpr Intrinsic kIntrinsics[] = {
    {"+", Form::kArithmetic, Op::kAdd, Op::kAddI, true},
    {"-", Form::kArithmetic, Op::kSubtract, Op::kSubtractI, true},
    {"*", Form::kArithmetic, Op::kMultiply, Op::kMultiply, true},
    {"<", Form::kCompare, Op::kLess, Op::kBranchNotLessI, false},
    {"<=", Form::kCompare, Op::kLessEqual, Op::kBranchNotLessEqualI, false},
    {">", Form::kCompare, Op::kGreater, Op::kBranchNotGreaterI, false},
    {">=", Form::kCompare, Op::kGreaterEqual, Op::kBranchNotGreaterEqualI, false},
    {"=", Form::kCompare, Op::kEqual, Op::kBranchNotEqualI, false},
    {"not", Form::kUnary, Op::kNot, Op::kNot, false},
    {"first", Form::kUnary, Op::kFirst, Op::kFirst, false},
    {"rest", Form::kUnary, Op::kRest, Op::kRest, false},
    {"empty?", Form::kUnary, Op::kIsEmpty, Op::kIsEmpty, false},
    {"nil?", Form::kUnary, Op::kIsNil, Op::kIsNil, false},
    {"prepend", Form::kAllocating, Op::kPrepend, Op::kPrepend, false},
};

const Intrinsic* find_intrinsic(const char* name) {
  for (const Intrinsic& i : kIntrinsics) {
    if (name != nullptr && std::string_view(i.name) == name) return &i;
  }
  return nullptr;
}

bool is_small(Term t) {
  return t.is_integer() && t.as_integer() >= -0x8000 && t.as_integer() <= 0x7fff;
}

}  // namespace

// The native a head stands for: only when the name means lona.core's var and that still is the
// native of this name.
const char* Unit::intrinsic_name(Term head) {
  head = bare(head);
  if (!head.is_symbol() || is_local(head.entry())) return nullptr;
  Var* var = state_.namespaces.resolve(process_.ns(), head.entry(), view_of(process_));
  if (var == nullptr || var->ns->name->full() != "lona.core") return nullptr;
  const Term value = var->value_in(view_of(process_));
  if (!value.is_native()) return nullptr;
  const char* name = native_table()[value.native_index()].name;
  return var->name->full() == name ? name : nullptr;
}

// The value of arithmetic on small integers, when it is one too; absent for all else.
Term Unit::folded(Term form, unsigned depth) {
  form = bare(form);
  if (form.is_integer()) return form;
  if (!form.is_pair() || depth == 0 || form_length(form) < 3) return Term::absent();
  const Intrinsic* i = find_intrinsic(intrinsic_name(form.first()));
  if (i == nullptr || i->form != Form::kArithmetic) return Term::absent();
  Term rest = form.rest();
  Term left = folded(rest.first(), depth - 1);
  for (rest = rest.rest(); left.is_integer() && rest.is_pair(); rest = rest.rest()) {
    const Term right = folded(rest.first(), depth - 1);
    if (!right.is_integer()) return Term::absent();
    const std::int64_t a = left.as_integer(), b = right.as_integer();
    std::int64_t value = 0;
    const bool overflow = i->op == Op::kAdd        ? __builtin_add_overflow(a, b, &value)
                          : i->op == Op::kSubtract ? __builtin_sub_overflow(a, b, &value)
                                                   : __builtin_mul_overflow(a, b, &value);
    if (overflow || !Term::fits_integer(value)) return Term::absent();
    left = Term::integer(value);
  }
  return left;
}

bool Unit::intrinsic(SymbolEntry* name, Term arguments, Want want) {
  const Intrinsic* i = find_intrinsic(intrinsic_name(Term::symbol(name)));
  if (i == nullptr) return false;
  std::size_t n = form_length(arguments);
  if (i->form == Form::kUnary ? n != 1 : n < 2 || (n > 2 && !i->fold)) return false;
  Register mark = emit().top();
  Register r;
  inner(want, r);
  std::uint32_t line = line_;
  Register left = any(arguments.first());
  if (i->form == Form::kUnary) {
    emit().line(line);
    emit().op(i->op, r, left);
  }
  for (Term t = arguments.rest(); t.is_pair() && !failed_; t = t.rest()) {
    Term second = folded(t.first(), kMostFolded);
    bool last = !t.rest().is_pair();
    Register to = last ? r : left >= mark && left != r ? left : emit().push();
    if (i->form == Form::kArithmetic && i->op != i->small && is_small(second)) {
      emit().line(line);
      emit().op(i->small, to, left, static_cast<std::uint16_t>(second.as_integer()));
    } else {
      Register right = any(t.first());
      emit().line(line);
      if (i->form == Form::kAllocating) {
        std::uint16_t live = emit().live_map();
        emit().op_extra(i->op, to, left, right, live);
      } else {
        emit().op(i->op, to, left, right);
      }
    }
    emit().set_live(to);
    left = to;
  }
  done(r, want);
  emit().release_to(mark);
  if (!want.tail) emit().set_live(want.reg);
  return true;
}

// (< a b) and the like: branches to `target` when it does not hold. False: not such a form.
bool Unit::compare_branch(Term form, Label& target) {
  const Intrinsic* i = find_intrinsic(intrinsic_name(form.first()));
  if (i == nullptr || i->form != Form::kCompare || form_length(form) != 3) return false;
  Register mark = emit().top();
  std::uint32_t line = line_;
  Term second = folded(form.rest().rest().first(), kMostFolded);
  Register left = any(form.rest().first());
  if (is_small(second)) {
    emit().line(line);
    emit().branch_extra(i->small, left, static_cast<std::uint16_t>(second.as_integer()), 0, target);
  } else {
    Register right = any(form.rest().rest().first());
    emit().line(line);
    switch (i->op) {
      case Op::kLess:
        emit().branch_extra(Op::kBranchNotLess, left, right, 0, target);
        break;
      case Op::kLessEqual:
        emit().branch_extra(Op::kBranchNotLessEqual, left, right, 0, target);
        break;
      case Op::kGreater:
        emit().branch_extra(Op::kBranchNotLess, right, left, 0, target);
        break;
      case Op::kGreaterEqual:
        emit().branch_extra(Op::kBranchNotLessEqual, right, left, 0, target);
        break;
      default:
        emit().branch_extra(Op::kBranchNotEqual, left, right, 0, target);
    }
  }
  emit().release_to(mark);
  return true;
}

// Goes to `target` when the truth of the form's value is `jump_when`, else goes on.
void Unit::condition(Term form, Label& target, bool jump_when) {
  if (failed_ || too_deep()) return;
  form = expand_all(form);
  if (failed_) return;
  if (form.is_pair()) {
    std::uint32_t outer_line = line_;
    note_line(form);
    const char* name = special_form(form.first()) ? nullptr : intrinsic_name(form.first());
    if (name != nullptr && std::string_view(name) == "not" && form_length(form) == 2) {
      condition(form.rest().first(), target, !jump_when);
      line_ = outer_line;
      return;
    }
    if (!jump_when && name != nullptr && compare_branch(form, target)) {
      line_ = outer_line;
      return;
    }
    IfShape shape = if_shape(form);
    if (shape.matches) {
      // (and a b) is (match a x when x b y y); (or a b) is (match a x when x x _ b).
      bool is_and = shape.otherwise_name != nullptr &&
                    bare(shape.otherwise) == Term::symbol(shape.otherwise_name);
      bool is_or = bare(shape.then) == Term::symbol(shape.name);
      unsigned budget = 200;
      if (is_and && !mentions(shape.then, shape.name, budget)) {
        Label over;
        condition(shape.test, jump_when ? over : target, false);
        condition(shape.then, target, jump_when);
        emit().bind(over);
        line_ = outer_line;
        return;
      }
      if (is_or && shape.otherwise_name == nullptr) {
        Label over;
        condition(shape.test, jump_when ? target : over, true);
        condition(shape.otherwise, target, jump_when);
        emit().bind(over);
        line_ = outer_line;
        return;
      }
    }
    line_ = outer_line;
  }
  Register mark = emit().top();
  Register r = any(form);
  emit().branch(jump_when ? Op::kBranchTrue : Op::kBranchFalse, r, target);
  emit().release_to(mark);
}

// (match test x when x then _ otherwise)
Unit::IfShape Unit::if_shape(Term form) {
  IfShape shape;
  SymbolEntry* head = special_form(form.first());
  if (head == nullptr || head->full() != "match" || form_length(form) != 8) return shape;
  Term parts[7];
  Term t = form.rest();
  for (Term& part : parts) {
    part = t.first();
    t = t.rest();
  }
  Term name = bare(parts[1]), guard = bare(parts[3]), other = bare(parts[5]);
  if (!name.is_symbol() || guard != name || !is_guard_word(parts[2]) || !other.is_symbol() ||
      is_symbol_named(name, "_")) {
    return shape;
  }
  shape.matches = true;
  shape.test = parts[0];
  shape.then = parts[4];
  shape.otherwise = parts[6];
  shape.name = name.entry();
  shape.otherwise_name = is_symbol_named(other, "_") ? nullptr : other.entry();
  return shape;
}

// Whether a name occurs in a form; true as well when the form is too large to look through.
bool Unit::mentions(Term form, SymbolEntry* name, unsigned& budget) const {
  if (budget == 0) return true;
  budget--;
  if (form.is_symbol()) return form == Term::symbol(name);
  while (form.is_pair()) {
    if (mentions(form.first(), name, budget)) return true;
    form = form.rest();
  }
  if (!form.is_boxed()) return false;
  switch (header_of(form).kind()) {
    case Kind::kTuple:
    case Kind::kMetaForm:
      for (std::size_t i = 0; i < header_of(form).words(); ++i) {
        if (mentions(slot(form, i), name, budget)) return true;
      }
      return false;
    case Kind::kVector:
      for (std::size_t i = 0; i < vector_count(form); ++i) {
        if (mentions(vector_get(form, i), name, budget)) return true;
      }
      return false;
    case Kind::kMap:
    case Kind::kSet:
      for (MapCursor c(is_set(form) ? set_map(form) : form); !c.done(); c.next()) {
        if (mentions(c.key(), name, budget) || mentions(c.value(), name, budget)) return true;
      }
      return false;
    default:
      return false;
  }
}

void Unit::if_form(const IfShape& shape, Want want) {
  Register mark = emit().top();
  std::size_t locals = fn_->locals.size();
  Label otherwise, end;
  unsigned budget = 200;
  bool named = mentions(shape.then, shape.name, budget);
  if (shape.otherwise_name != nullptr) {
    budget = 200;
    named = named || mentions(shape.otherwise, shape.otherwise_name, budget);
  }
  Register test = 0;
  if (named) {
    test = any(shape.test);
    emit().branch(Op::kBranchFalse, test, otherwise);
    bind_name(shape.name, test);
  } else {
    condition(shape.test, otherwise, false);
  }
  Emitter::LiveSet before = emit().live();
  value(shape.then, want);
  fn_->locals.resize_down(locals);
  if (!want.tail) emit().branch(Op::kJump, 0, end);
  emit().restore_live(before);
  emit().bind(otherwise);
  if (named && shape.otherwise_name != nullptr) bind_name(shape.otherwise_name, test);
  value(shape.otherwise, want);
  fn_->locals.resize_down(locals);
  emit().bind(end);
  emit().release_to(mark);
  if (!want.tail) emit().set_live(want.reg);
}

}  // namespace lona::vm
