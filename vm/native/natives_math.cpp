// SPDX-License-Identifier: BSD-2-Clause
// Functions of real numbers, powers and roots: the natives of lona.math.
#include <cmath>

#include "vm/data/string.hpp"
#include "vm/native/number_result.hpp"
#include "vm/number/arithmetic.hpp"
#include "vm/number/integer.hpp"

namespace lona::vm::natives {

namespace {

// An f32 for an f32: the function is calculated in f64, so it is rounded twice, which moves the
// result by less than one step.
Term as_float(Process& p, Term like, double value) {
  return is_float32(like) ? make_float32(p, static_cast<float>(value)) : make_float(p, value);
}

template <class Function>
Term real(Process& p, const char* fn, Args args, Function function) {
  if (is_float(args[0])) return make_float(p, function(float_value(args[0])));
  auto x = to_double(p, args[0]);
  if (!x.has_value()) return fail_number(p, x.error(), fn, args);
  return as_float(p, args[0], function(*x));
}

template <class Function>
Term real2(Process& p, const char* fn, Args args, Function function) {
  auto x = to_double(p, args[0]), y = to_double(p, args[1]);
  if (!x.has_value()) return fail_number(p, x.error(), fn, args);
  if (!y.has_value()) return fail_number(p, y.error(), fn, args);
  double value = function(*x, *y);
  return is_float32(args[0]) && is_float32(args[1]) ? make_float32(p, static_cast<float>(value))
                                                    : make_float(p, value);
}

// x to the power of n >= 0 by squaring.
NumberResult exact_power(Process& p, Term x, std::uint64_t n) {
  Term result = Term::integer(1);
  for (;;) {
    if ((n & 1) != 0) {
      charge_words(p, number_words(result), number_words(x));
      result = TRY(number_multiply(p, result, x));
    }
    n >>= 1;
    if (n == 0) return result;
    charge_words(p, number_words(x), number_words(x));
    x = TRY(number_multiply(p, x, x));
  }
}

NumberResult power(Process& p, Term x, Term y) {
  Term n = TRY(to_plain(p, y));
  x = TRY(to_plain(p, x));
  if (integer_is_negative(n)) {
    x = TRY(number_divide(p, Term::integer(1), x));
    n = TRY(integer_negate(p, n));
  }
  if (x == Term::integer(0) || x == Term::integer(1))
    return integer_is_zero(n) ? Term::integer(1) : x;
  if (x == Term::integer(-1)) return Term::integer(integer_is_odd(n) ? -1 : 1);
  // With an exponent that long, the power of anything else is longer than any integer may be.
  if (!n.is_integer()) return base::fail(NumberFault::kNoMemory);
  return exact_power(p, x, static_cast<std::uint64_t>(n.as_integer()));
}

bool is_exact(Term t) {
  NumberType type = number_type(t);
  return type == NumberType::kInteger || type == NumberType::kRatio || is_fixed(type);
}

enum class Rounding : std::uint8_t { kDown, kUp, kNearest };

NumberResult to_whole(Heap& heap, Term x, Rounding rounding) {
  x = TRY(to_exact(heap, x));
  if (is_exact_integer(x)) return x;
  Term n = slot(x, 0), d = slot(x, 1);
  if (rounding == Rounding::kNearest) {
    // (2n ± d) / 2d, rounded towards zero.
    Term twice = TRY(integer_shift(heap, n, 1));
    n = TRY(integer_is_negative(n) ? integer_subtract(heap, twice, d)
                                   : integer_add(heap, twice, d));
    return integer_quotient(heap, n, TRY(integer_shift(heap, d, 1)));
  }
  Term q = TRY(integer_quotient(heap, n, d));
  bool negative = integer_is_negative(n);
  if (rounding == Rounding::kDown && negative) return integer_subtract(heap, q, Term::integer(1));
  if (rounding == Rounding::kUp && !negative) return integer_add(heap, q, Term::integer(1));
  return q;
}

Term whole(Process& p, const char* fn, Args args, Rounding rounding) {
  return or_fault(p, to_whole(p, args[0], rounding), fn, args);
}

// An argument that must be an integer, of whatever type.
NumberResult integer_argument(Heap& heap, Term t) {
  NumberType type = number_type(t);
  if (type != NumberType::kInteger && !is_fixed(type)) return base::fail(NumberFault::kNotNumber);
  return to_plain(heap, t);
}

NumberResult gcd_of(Process& p, Args args) {
  Term a = TRY(integer_argument(p, args[0])), b = TRY(integer_argument(p, args[1]));
  charge_words(p, number_words(a), number_words(b));
  return integer_gcd(p, a, b);
}

NumberResult root_of(Process& p, Args args) {
  Term n = TRY(integer_argument(p, args[0]));
  if (integer_is_negative(n)) return base::fail(NumberFault::kOutOfRange);
  charge_words(p, number_words(n), number_words(n));
  return integer_root(p, n);
}

}  // namespace

#define LONA_REAL(name, function)                                                        \
  Term math_##name(Process& p, Args args) {                                              \
    return real(p, "lona.math/" #name, args, [](double x) { return std::function(x); }); \
  }
LONA_REAL(sqrt, sqrt)
LONA_REAL(cbrt, cbrt)
LONA_REAL(exp, exp)
LONA_REAL(expm1, expm1)
LONA_REAL(log2, log2)
LONA_REAL(log10, log10)
LONA_REAL(log1p, log1p)
LONA_REAL(sin, sin)
LONA_REAL(cos, cos)
LONA_REAL(tan, tan)
LONA_REAL(asin, asin)
LONA_REAL(acos, acos)
LONA_REAL(atan, atan)
LONA_REAL(sinh, sinh)
LONA_REAL(cosh, cosh)
LONA_REAL(tanh, tanh)
LONA_REAL(asinh, asinh)
LONA_REAL(acosh, acosh)
LONA_REAL(atanh, atanh)
#undef LONA_REAL

Term math_log(Process& p, Args args) {
  if (args.size() == 1) {
    return real(p, "lona.math/log", args, [](double x) { return std::log(x); });
  }
  return real2(p, "lona.math/log", args, [](double x, double base) {
    if (base == 2) return std::log2(x);
    return base == 10 ? std::log10(x) : std::log(x) / std::log(base);
  });
}
Term math_atan2(Process& p, Args args) {
  return real2(p, "lona.math/atan2", args, [](double y, double x) { return std::atan2(y, x); });
}
Term math_hypot(Process& p, Args args) {
  return real2(p, "lona.math/hypot", args, [](double x, double y) { return std::hypot(x, y); });
}

Term math_pow(Process& p, Args args) {
  NumberType y = number_type(args[1]);
  if (is_exact(args[0]) && (y == NumberType::kInteger || is_fixed(y))) {
    return or_fault(p, power(p, args[0], args[1]), "lona.math/pow", args);
  }
  return real2(p, "lona.math/pow", args, [](double x, double e) { return std::pow(x, e); });
}

Term math_floor(Process& p, Args args) {
  return whole(p, "lona.math/floor", args, Rounding::kDown);
}
Term math_ceil(Process& p, Args args) {
  return whole(p, "lona.math/ceil", args, Rounding::kUp);
}
Term math_round(Process& p, Args args) {
  return whole(p, "lona.math/round", args, Rounding::kNearest);
}
Term math_gcd(Process& p, Args args) {
  return or_fault(p, gcd_of(p, args), "lona.math/gcd", args);
}
Term math_integer_sqrt(Process& p, Args args) {
  return or_fault(p, root_of(p, args), "lona.math/integer-sqrt", args);
}

Term math_is_nan(Process& p, Args args) {
  if (is_float(args[0])) return Term::boolean(std::isnan(float_value(args[0])));
  if (is_float32(args[0])) return Term::boolean(std::isnan(float32_value(args[0])));
  return vm::is_number(args[0]) ? Term::false_() : p.fail_badarg("lona.math/nan?", args);
}
Term math_is_finite(Process& p, Args args) {
  if (is_float(args[0])) return Term::boolean(std::isfinite(float_value(args[0])));
  if (is_float32(args[0])) return Term::boolean(std::isfinite(float32_value(args[0])));
  return vm::is_number(args[0]) ? Term::true_() : p.fail_badarg("lona.math/finite?", args);
}

Term math_to_radix(Process& p, Args args) {
  NumberResult n = integer_argument(p, args[0]);
  bool good = args[1].is_integer() && args[1].as_integer() >= 2 && args[1].as_integer() <= 36;
  if (!n.has_value() || !good) return p.fail_badarg("lona.math/to-radix", args);
  auto radix = static_cast<unsigned>(args[1].as_integer());
  charge_words(p, number_words(*n), number_words(*n));
  std::size_t size = integer_text_size(*n, radix);
  Scratch digits(size / sizeof(Limb) + 1);
  if (digits.data() == nullptr) return p.fail_oom();
  std::string_view text = integer_text(*n, radix, {reinterpret_cast<char*>(digits.data()), size});
  return text.empty() ? p.fail_oom() : or_oom(p, make_string(p, text));
}

}  // namespace lona::vm::natives
