// SPDX-License-Identifier: BSD-2-Clause
#include "vm/number/arithmetic.hpp"

#include <cmath>

#include "vm/number/integer.hpp"
#include "vm/number/rounding.hpp"

namespace lona::vm {

namespace {

auto fault(NumberFault f) {
  return base::fail(f);
}

struct RatioParts {
  Term n, d;
};
RatioParts parts_of(Term exact) {
  if (is_kind(exact, Kind::kRatio)) return {slot(exact, 0), slot(exact, 1)};
  return {exact, Term::integer(1)};
}

// n1 d2 <op> n2 d1, which is the numerator over d1 d2.
template <class Operation>
NumberResult crosswise(Heap& heap, RatioParts a, RatioParts b, Operation operation) {
  Term left = TRY(integer_multiply(heap, a.n, b.d));
  Term right = TRY(integer_multiply(heap, b.n, a.d));
  return operation(heap, left, right);
}

struct Add {
  static NumberResult integers(Heap& heap, Term a, Term b) { return integer_add(heap, a, b); }
  template <class F>
  static base::Expected<F, NumberFault> floats(F a, F b) {
    return a + b;
  }
  static NumberResult fixed(Heap& heap, NumberType type, Wide a, Wide b) {
    return make_fixed(heap, type, a + b);
  }
  static NumberResult ratios(Heap& heap, RatioParts a, RatioParts b) {
    Term n = TRY(crosswise(heap, a, b, integer_add));
    return make_ratio(heap, n, TRY(integer_multiply(heap, a.d, b.d)));
  }
};

struct Subtract {
  static NumberResult integers(Heap& heap, Term a, Term b) { return integer_subtract(heap, a, b); }
  template <class F>
  static base::Expected<F, NumberFault> floats(F a, F b) {
    return a - b;
  }
  static NumberResult fixed(Heap& heap, NumberType type, Wide a, Wide b) {
    return make_fixed(heap, type, a - b);
  }
  static NumberResult ratios(Heap& heap, RatioParts a, RatioParts b) {
    Term n = TRY(crosswise(heap, a, b, integer_subtract));
    return make_ratio(heap, n, TRY(integer_multiply(heap, a.d, b.d)));
  }
};

struct Multiply {
  static NumberResult integers(Heap& heap, Term a, Term b) { return integer_multiply(heap, a, b); }
  template <class F>
  static base::Expected<F, NumberFault> floats(F a, F b) {
    return a * b;
  }
  static NumberResult fixed(Heap& heap, NumberType type, Wide a, Wide b) {
    // Of u64 the product needs 128 bits without sign, but only the low half is kept.
    auto product = static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b);
    return make_fixed(heap, type, static_cast<Wide>(product));
  }
  static NumberResult ratios(Heap& heap, RatioParts a, RatioParts b) {
    Term n = TRY(integer_multiply(heap, a.n, b.n));
    return make_ratio(heap, n, TRY(integer_multiply(heap, a.d, b.d)));
  }
};

struct Divide {
  static NumberResult integers(Heap& heap, Term a, Term b) {
    if (integer_is_zero(b)) return fault(NumberFault::kDivisionByZero);
    return make_ratio(heap, a, b);
  }
  template <class F>
  static base::Expected<F, NumberFault> floats(F a, F b) {
    return a / b;
  }
  static NumberResult fixed(Heap& heap, NumberType type, Wide a, Wide b) {
    if (b == 0) return fault(NumberFault::kDivisionByZero);
    WideQuotient q = divide_wide(a, b);
    if (q.remainder == 0) return make_fixed(heap, type, q.quotient);
    return make_ratio(heap, TRY(integer_from(heap, a)), TRY(integer_from(heap, b)));
  }
  static NumberResult ratios(Heap& heap, RatioParts a, RatioParts b) {
    if (integer_is_zero(b.n)) return fault(NumberFault::kDivisionByZero);
    Term n = TRY(integer_multiply(heap, a.n, b.d));
    return make_ratio(heap, n, TRY(integer_multiply(heap, a.d, b.n)));
  }
};

struct Quotient {
  static NumberResult integers(Heap& heap, Term a, Term b) {
    if (integer_is_zero(b)) return fault(NumberFault::kDivisionByZero);
    return integer_quotient(heap, a, b);
  }
  template <class F>
  static base::Expected<F, NumberFault> floats(F a, F b) {
    if (b == 0) return fault(NumberFault::kDivisionByZero);
    return std::trunc(a / b);
  }
  static NumberResult fixed(Heap& heap, NumberType type, Wide a, Wide b) {
    if (b == 0) return fault(NumberFault::kDivisionByZero);
    return make_fixed(heap, type, divide_wide(a, b).quotient);
  }
  static NumberResult ratios(Heap& heap, RatioParts a, RatioParts b) {
    return crosswise(heap, a, b, integers);
  }
};

// Remainders of ratios are those of the numerators over the common denominator.
template <class Integers>
NumberResult ratio_rest(Heap& heap, RatioParts a, RatioParts b, Integers integers) {
  Term n = TRY(crosswise(heap, a, b, integers));
  return make_ratio(heap, n, TRY(integer_multiply(heap, a.d, b.d)));
}

struct Remainder {
  static NumberResult integers(Heap& heap, Term a, Term b) {
    if (integer_is_zero(b)) return fault(NumberFault::kDivisionByZero);
    return integer_remainder(heap, a, b);
  }
  template <class F>
  static base::Expected<F, NumberFault> floats(F a, F b) {
    if (b == 0) return fault(NumberFault::kDivisionByZero);
    return std::fmod(a, b);
  }
  static NumberResult fixed(Heap& heap, NumberType type, Wide a, Wide b) {
    if (b == 0) return fault(NumberFault::kDivisionByZero);
    return make_fixed(heap, type, divide_wide(a, b).remainder);
  }
  static NumberResult ratios(Heap& heap, RatioParts a, RatioParts b) {
    return ratio_rest(heap, a, b, integers);
  }
};

struct Modulo {
  static NumberResult integers(Heap& heap, Term a, Term b) {
    if (integer_is_zero(b)) return fault(NumberFault::kDivisionByZero);
    return integer_modulo(heap, a, b);
  }
  template <class F>
  static base::Expected<F, NumberFault> floats(F a, F b) {
    F r = TRY(Remainder::floats(a, b));
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
  }
  static NumberResult fixed(Heap& heap, NumberType type, Wide a, Wide b) {
    if (b == 0) return fault(NumberFault::kDivisionByZero);
    Wide r = divide_wide(a, b).remainder;
    return make_fixed(heap, type, r != 0 && (r < 0) != (b < 0) ? r + b : r);
  }
  static NumberResult ratios(Heap& heap, RatioParts a, RatioParts b) {
    return ratio_rest(heap, a, b, integers);
  }
};

// What is not of one common kind.
template <class Operation>
NumberResult mixed(Heap& heap, Term a, Term b, NumberType x, NumberType y) {
  if (x == NumberType::kFloat || y == NumberType::kFloat) {
    double p = TRY(to_double(heap, a)), q = TRY(to_double(heap, b));
    return make_float(heap, TRY(Operation::floats(p, q)));
  }
  if (x == NumberType::kFloat32 || y == NumberType::kFloat32) {
    float p = TRY(to_float32(heap, a)), q = TRY(to_float32(heap, b));
    return make_float32(heap, TRY(Operation::floats(p, q)));
  }
  a = TRY(to_plain(heap, a));
  b = TRY(to_plain(heap, b));
  if (is_exact_integer(a) && is_exact_integer(b)) return Operation::integers(heap, a, b);
  return Operation::ratios(heap, parts_of(a), parts_of(b));
}

template <class Operation>
NumberResult calculate(Heap& heap, Term a, Term b) {
  NumberType x = number_type(a), y = number_type(b);
  if (x == NumberType::kInteger && y == NumberType::kInteger) {
    return Operation::integers(heap, a, b);
  }
  if (x == NumberType::kFloat && y == NumberType::kFloat) {
    return make_float(heap, TRY(Operation::floats(float_value(a), float_value(b))));
  }
  if (x == NumberType::kNone || y == NumberType::kNone) return fault(NumberFault::kNotNumber);
  if (x == y && is_fixed(x)) return Operation::fixed(heap, x, fixed_value(a), fixed_value(b));
  return mixed<Operation>(heap, a, b, x, y);
}

}  // namespace

NumberResult number_add(Heap& heap, Term a, Term b) {
  return calculate<Add>(heap, a, b);
}
NumberResult number_subtract(Heap& heap, Term a, Term b) {
  return calculate<Subtract>(heap, a, b);
}
NumberResult number_multiply(Heap& heap, Term a, Term b) {
  return calculate<Multiply>(heap, a, b);
}
NumberResult number_divide(Heap& heap, Term a, Term b) {
  return calculate<Divide>(heap, a, b);
}
NumberResult number_quotient(Heap& heap, Term a, Term b) {
  return calculate<Quotient>(heap, a, b);
}
NumberResult number_remainder(Heap& heap, Term a, Term b) {
  return calculate<Remainder>(heap, a, b);
}
NumberResult number_modulo(Heap& heap, Term a, Term b) {
  return calculate<Modulo>(heap, a, b);
}

NumberResult number_negate(Heap& heap, Term a) {
  NumberType type = number_type(a);
  switch (type) {
    case NumberType::kNone:
      return fault(NumberFault::kNotNumber);
    case NumberType::kFloat:  // 0 - x would lose the sign of zero
      return make_float(heap, -float_value(a));
    case NumberType::kFloat32:
      return make_float32(heap, -float32_value(a));
    case NumberType::kInteger:
      return integer_negate(heap, a);
    case NumberType::kRatio: {
      Term n = TRY(integer_negate(heap, slot(a, 0)));
      return make_ratio(heap, n, slot(a, 1));
    }
    default:
      return make_fixed(heap, type, -fixed_value(a));
  }
}

NumberResult make_ratio(Heap& heap, Term numerator, Term denominator) {
  if (integer_is_negative(denominator)) {
    numerator = TRY(integer_negate(heap, numerator));
    denominator = TRY(integer_negate(heap, denominator));
  }
  Term common = TRY(integer_gcd(heap, numerator, denominator));
  if (common != Term::integer(1)) {
    numerator = TRY(integer_quotient(heap, numerator, common));
    denominator = TRY(integer_quotient(heap, denominator, common));
  }
  if (denominator == Term::integer(1)) return numerator;
  Word* p = heap.alloc_box(Kind::kRatio, 2);
  p[1] = numerator.bits();
  p[2] = denominator.bits();
  return Term::boxed(p);
}

base::Expected<double, NumberFault> to_double(Heap& heap, Term number) {
  switch (NumberType type = number_type(number)) {
    case NumberType::kNone:
      return fault(NumberFault::kNotNumber);
    case NumberType::kFloat:
      return float_value(number);
    case NumberType::kFloat32:
      return float32_value(number);
    case NumberType::kInteger:
      if (number.is_integer()) return static_cast<double>(number.as_integer());
      [[fallthrough]];
    case NumberType::kRatio:
      return round_exact<Binary64>(heap, number);
    default:
      return width_of(type).is_signed
                 ? static_cast<double>(static_cast<std::int64_t>(fixed_value(number)))
                 : static_cast<double>(static_cast<std::uint64_t>(fixed_value(number)));
  }
}

base::Expected<float, NumberFault> to_float32(Heap& heap, Term number) {
  NumberType type = number_type(number);
  if (type == NumberType::kFloat32) return float32_value(number);
  if (type == NumberType::kFloat) return static_cast<float>(float_value(number));
  Term plain = TRY(to_plain(heap, number));
  return round_exact<Binary32>(heap, plain);
}

NumberResult to_plain(Heap& heap, Term number) {
  NumberType type = number_type(number);
  if (type == NumberType::kNone) return fault(NumberFault::kNotNumber);
  return is_fixed(type) ? integer_from(heap, fixed_value(number)) : NumberResult(number);
}

NumberResult to_integer(Heap& heap, Term number) {
  switch (number_type(number)) {
    case NumberType::kRatio:
      return integer_quotient(heap, slot(number, 0), slot(number, 1));
    case NumberType::kFloat:
    case NumberType::kFloat32: {
      double value = TRY(to_double(heap, number));
      if (!std::isfinite(value)) return fault(NumberFault::kOutOfRange);
      return integer_from_double(heap, std::trunc(value));
    }
    default:
      return to_plain(heap, number);
  }
}

NumberResult to_exact(Heap& heap, Term number) {
  NumberType type = number_type(number);
  if (type != NumberType::kFloat && type != NumberType::kFloat32) return to_plain(heap, number);
  double value = TRY(to_double(heap, number));
  if (!std::isfinite(value)) return fault(NumberFault::kOutOfRange);
  return exact_value(heap, value);
}

NumberResult to_fixed(Heap& heap, NumberType fixed, Term number) {
  Term whole = TRY(to_integer(heap, number));
  return make_fixed(heap, fixed, static_cast<Wide>(integer_low_word(whole)));
}

}  // namespace lona::vm
