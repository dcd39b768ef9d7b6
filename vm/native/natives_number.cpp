// SPDX-License-Identifier: BSD-2-Clause
// Arithmetic and order of numbers, over vm/number.
#include <cmath>

#include "vm/data/map.hpp"
#include "vm/data/sequence.hpp"
#include "vm/native/number_result.hpp"
#include "vm/number/arithmetic.hpp"
#include "vm/number/integer.hpp"
#include "vm/term/symbol.hpp"

namespace lona::vm::natives {

Term fail_number(Process& p, NumberFault fault, const char* fn, Args args) {
  if (fault == NumberFault::kNoMemory) return p.fail_oom();
  if (fault != NumberFault::kDivisionByZero) return p.fail_badarg(fn, args);
  ListBuilder list(p);
  for (std::uint32_t i = 0; i < args.size(); i++) list.add(args[i]);
  Term values = list.take();
  if (values == Term::absent()) return p.fail_oom();
  Term info = map_put(p, empty_map(p), make_keyword("fn"), make_symbol(fn));
  return p.fail("division-by-zero", map_put(p, info, make_keyword("args"), values));
}

namespace {

using Operation = NumberResult (*)(Heap&, Term, Term);

// Sums need the longer of two numbers to be walked once, products and quotients more.
enum class Cost : std::uint8_t { kSum, kProduct };

void charge_for(Process& p, Cost cost, Term a, Term b) {
  if (!a.is_boxed() && !b.is_boxed()) return;
  std::size_t x = number_words(a), y = number_words(b);
  charge_words(p, cost == Cost::kSum ? x + y : x, cost == Cost::kSum ? 1 : y);
}

// (((first op args[from]) op args[from + 1]) …)
Term fold(Process& p, const char* fn, Args args, Term first, std::uint32_t from,
          Operation operation, Cost cost) {
  Term value = first;
  for (std::uint32_t i = from; i < args.size(); i++) {
    charge_for(p, cost, value, args[i]);
    NumberResult next = operation(p, value, args[i]);
    if (!next.has_value()) return fail_number(p, next.error(), fn, args);
    value = *next;
  }
  return value;
}

Term two(Process& p, const char* fn, Args args, Operation operation, Cost cost = Cost::kProduct) {
  charge_for(p, cost, args[0], args[1]);
  return or_fault(p, operation(p, args[0], args[1]), fn, args);
}

bool all_numbers(Args args) {
  for (std::uint32_t i = 0; i < args.size(); i++) {
    if (!vm::is_number(args[i])) return false;
  }
  return true;
}

template <class Test>
Term chain(Process& p, const char* fn, Args args, Test test) {
  if (!all_numbers(args)) return p.fail_badarg(fn, args);
  for (std::uint32_t i = 1; i < args.size(); i++) {
    charge_for(p, Cost::kSum, args[i - 1], args[i]);
    auto order = number_order(args[i - 1], args[i]);
    if (!order.has_value()) return fail_number(p, order.error(), fn, args);
    if (!test(*order)) return Term::false_();
  }
  return Term::true_();
}

// The one of all numbers that comes first by `test`; a NaN wins over all.
template <class Test>
Term choose(Process& p, const char* fn, Args args, Test test) {
  if (!all_numbers(args)) return p.fail_badarg(fn, args);
  Term best = args[0];
  for (std::uint32_t i = 1; i < args.size(); i++) {
    auto order = number_order(args[i], best);
    if (!order.has_value()) return fail_number(p, order.error(), fn, args);
    bool unordered = *order == std::partial_ordering::unordered;
    if (test(*order) ||
        (unordered && number_order(best, best) == std::partial_ordering::equivalent)) {
      best = args[i];
    }
  }
  return best;
}

// Of a NaN the sign is none of the three.
template <class Test>
Term sign_is(Process& p, const char* fn, Args args, Test test) {
  if (!vm::is_number(args[0])) return p.fail_badarg(fn, args);
  auto sign = number_sign(args[0]);
  return Term::boolean(sign.has_value() && test(*sign));
}

// Is the integer odd? Fixed-width ones are integers too.
Term odd_is(Process& p, const char* fn, Args args, bool wanted) {
  Term n = args[0];
  NumberType type = number_type(n);
  if (is_fixed(type)) return Term::boolean((fixed_value(n) & 1) == wanted);
  if (type != NumberType::kInteger) return p.fail_badarg(fn, args);
  return Term::boolean(integer_is_odd(n) == wanted);
}

}  // namespace

Term add(Process& p, Args args) {
  if (args.size() == 0) return Term::integer(0);
  if (!vm::is_number(args[0])) return p.fail_badarg("+", args);
  return fold(p, "+", args, args[0], 1, number_add, Cost::kSum);
}

Term subtract(Process& p, Args args) {
  if (args.size() == 1) return or_fault(p, number_negate(p, args[0]), "-", args);
  return fold(p, "-", args, args[0], 1, number_subtract, Cost::kSum);
}

Term multiply(Process& p, Args args) {
  if (args.size() == 0) return Term::integer(1);
  if (!vm::is_number(args[0])) return p.fail_badarg("*", args);
  return fold(p, "*", args, args[0], 1, number_multiply, Cost::kProduct);
}

Term divide(Process& p, Args args) {
  if (args.size() == 2 && is_float(args[0]) && is_float(args[1])) {
    return make_float(p, float_value(args[0]) / float_value(args[1]));
  }
  if (args.size() == 1)
    return fold(p, "/", args, Term::integer(1), 0, number_divide, Cost::kProduct);
  return fold(p, "/", args, args[0], 1, number_divide, Cost::kProduct);
}

namespace {
// Small integers whose quotient is one too: the quick case.
bool small_division(Args args) {
  return args[0].is_integer() && args[1].is_integer() && args[1].as_integer() != 0 &&
         args[1].as_integer() != -1;
}
}  // namespace

Term quotient(Process& p, Args args) {
  if (small_division(args)) {
    return Term::integer(args[0].as_integer() / args[1].as_integer());
  }
  return two(p, "quot", args, number_quotient);
}
Term remainder(Process& p, Args args) {
  if (small_division(args)) {
    return Term::integer(args[0].as_integer() % args[1].as_integer());
  }
  return two(p, "rem", args, number_remainder);
}
Term modulo(Process& p, Args args) {
  if (small_division(args)) {
    std::int64_t b = args[1].as_integer(), rest = args[0].as_integer() % b;
    return Term::integer(rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest);
  }
  return two(p, "mod", args, number_modulo);
}

// A fixed-width integer stays one.
Term increment(Process& p, Args args) {
  NumberType type = number_type(args[0]);
  if (is_fixed(type)) return make_fixed(p, type, fixed_value(args[0]) + 1);
  return or_fault(p, number_add(p, args[0], Term::integer(1)), "inc", args);
}
Term decrement(Process& p, Args args) {
  NumberType type = number_type(args[0]);
  if (is_fixed(type)) return make_fixed(p, type, fixed_value(args[0]) - 1);
  return or_fault(p, number_subtract(p, args[0], Term::integer(1)), "dec", args);
}

Term absolute(Process& p, Args args) {
  Term n = args[0];
  if (is_float(n)) return make_float(p, std::fabs(float_value(n)));
  if (is_float32(n)) return make_float32(p, std::fabs(float32_value(n)));
  auto sign = number_sign(n);
  if (!sign.has_value()) return fail_number(p, sign.error(), "abs", args);
  return *sign >= 0 ? n : or_fault(p, number_negate(p, n), "abs", args);
}

Term maximum(Process& p, Args args) {
  return choose(p, "max", args, [](auto order) { return order > 0; });
}
Term minimum(Process& p, Args args) {
  return choose(p, "min", args, [](auto order) { return order < 0; });
}

Term less(Process& p, Args args) {
  return chain(p, "<", args, [](auto order) { return order < 0; });
}
Term greater(Process& p, Args args) {
  return chain(p, ">", args, [](auto order) { return order > 0; });
}
Term less_equal(Process& p, Args args) {
  return chain(p, "<=", args, [](auto order) { return order <= 0; });
}
Term greater_equal(Process& p, Args args) {
  return chain(p, ">=", args, [](auto order) { return order >= 0; });
}
Term same_number(Process& p, Args args) {
  return chain(p, "==", args, [](auto order) { return order == 0; });
}

Term is_zero(Process& p, Args args) {
  return sign_is(p, "zero?", args, [](int sign) { return sign == 0; });
}
Term is_positive(Process& p, Args args) {
  return sign_is(p, "pos?", args, [](int sign) { return sign > 0; });
}
Term is_negative(Process& p, Args args) {
  return sign_is(p, "neg?", args, [](int sign) { return sign < 0; });
}
Term is_even(Process& p, Args args) {
  return odd_is(p, "even?", args, false);
}
Term is_odd(Process& p, Args args) {
  return odd_is(p, "odd?", args, true);
}

Term numerator(Process& p, Args args) {
  Term n = args[0];
  if (is_kind(n, Kind::kRatio)) return slot(n, 0);
  return is_exact_integer(n) ? n : p.fail_badarg("numerator", args);
}
Term denominator(Process& p, Args args) {
  Term n = args[0];
  if (is_kind(n, Kind::kRatio)) return slot(n, 1);
  return is_exact_integer(n) ? Term::integer(1) : p.fail_badarg("denominator", args);
}

Term to_integer_value(Process& p, Args args) {
  return or_fault(p, to_integer(p, args[0]), "integer", args);
}
Term to_exact_value(Process& p, Args args) {
  return or_fault(p, to_exact(p, args[0]), "exact", args);
}
Term to_float_value(Process& p, Args args) {
  auto value = to_double(p, args[0]);
  if (!value.has_value()) return fail_number(p, value.error(), "f64", args);
  return make_float(p, *value);
}
Term to_float32_value(Process& p, Args args) {
  auto value = to_float32(p, args[0]);
  if (!value.has_value()) return fail_number(p, value.error(), "f32", args);
  return make_float32(p, *value);
}

}  // namespace lona::vm::natives
