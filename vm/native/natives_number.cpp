// SPDX-License-Identifier: BSD-2-Clause
// Arithmetic on integers of 61 bits. What does not fit ends the process with :overflow.
#include <bit>

#include "vm/data/map.hpp"
#include "vm/data/sequence.hpp"
#include "vm/native/natives_data.hpp"
#include "vm/term/symbol.hpp"

namespace lona::vm::natives {

namespace {

constexpr unsigned kIntegerBits = 61;

bool all_integers(Args args) {
  for (std::uint32_t i = 0; i < args.size(); i++) {
    if (!args[i].is_integer()) return false;
  }
  return true;
}

Term fail_number(Process& p, const char* type, const char* fn, Args args) {
  ListBuilder list(p);
  for (std::uint32_t i = 0; i < args.size(); i++) list.add(args[i]);
  Term values = list.take();
  if (values == Term::absent()) return p.fail_oom();
  Term info = map_put(p, empty_map(p), make_keyword("fn"), make_symbol(fn));
  return p.fail(type, map_put(p, info, make_keyword("args"), values));
}

Term fail_overflow(Process& p, const char* fn, Args args) {
  return fail_number(p, "overflow", fn, args);
}
Term fail_zero(Process& p, const char* fn, Args args) {
  return fail_number(p, "division-by-zero", fn, args);
}

// All arguments folded by `step(a, b, out)`, which gives false on overflow of 64 bits.
template <class Step>
Term fold(Process& p, const char* fn, Args args, std::int64_t start, std::uint32_t from,
          Step step) {
  if (!all_integers(args)) return p.fail_badarg(fn, args);
  std::int64_t sum = start;
  for (std::uint32_t i = from; i < args.size(); i++) {
    if (!step(sum, args[i].as_integer(), sum) || !Term::fits_integer(sum)) {
      return fail_overflow(p, fn, args);
    }
  }
  return Term::integer(sum);
}

bool add_step(std::int64_t a, std::int64_t b, std::int64_t& out) {
  return !__builtin_add_overflow(a, b, &out);
}
bool subtract_step(std::int64_t a, std::int64_t b, std::int64_t& out) {
  return !__builtin_sub_overflow(a, b, &out);
}
bool multiply_step(std::int64_t a, std::int64_t b, std::int64_t& out) {
  return !__builtin_mul_overflow(a, b, &out);
}

template <class Test>
Term chain(Process& p, const char* fn, Args args, Test test) {
  if (!all_integers(args)) return p.fail_badarg(fn, args);
  for (std::uint32_t i = 1; i < args.size(); i++) {
    if (!test(args[i - 1].as_integer(), args[i].as_integer())) return Term::false_();
  }
  return Term::true_();
}

template <class Test>
Term predicate(Process& p, const char* fn, Args args, Test test) {
  if (!args[0].is_integer()) return p.fail_badarg(fn, args);
  return Term::boolean(test(args[0].as_integer()));
}

template <class Combine>
Term fold_bits(Process& p, const char* fn, Args args, Combine combine) {
  if (!all_integers(args)) return p.fail_badarg(fn, args);
  std::int64_t v = args[0].as_integer();
  for (std::uint32_t i = 1; i < args.size(); i++) v = combine(v, args[i].as_integer());
  return Term::integer(v);
}

// Integers behave as if their sign went on for ever, so a bit far up is the sign.
bool bit_of(std::int64_t n, std::int64_t bit) {
  return (n >> (bit < 63 ? bit : 63)) & 1;
}

template <class Change>
Term change_bit(Process& p, const char* fn, Args args, Change change) {
  if (!all_integers(args) || args[1].as_integer() < 0) return p.fail_badarg(fn, args);
  std::int64_t n = args[0].as_integer(), bit = args[1].as_integer();
  bool now = bit_of(n, bit), then = change(now);
  if (now == then) return args[0];
  if (bit >= kIntegerBits - 1) return fail_overflow(p, fn, args);
  return Term::integer(n ^ std::int64_t{1} << bit);
}

// Is [start, start + bits) inside of what an integer has, its sign left out?
bool is_field(Term start, Term bits) {
  std::int64_t s = start.as_integer(), n = bits.as_integer();
  return s >= 0 && n >= 0 && s < kIntegerBits && n < kIntegerBits && s + n < kIntegerBits;
}
std::int64_t low_mask(std::int64_t bits) {
  return (std::int64_t{1} << bits) - 1;
}

}  // namespace

Term add(Process& p, Args args) {
  return fold(p, "+", args, 0, 0, add_step);
}

Term subtract(Process& p, Args args) {
  if (args.size() == 1) return fold(p, "-", args, 0, 0, subtract_step);
  if (!args[0].is_integer()) return p.fail_badarg("-", args);
  return fold(p, "-", args, args[0].as_integer(), 1, subtract_step);
}

Term multiply(Process& p, Args args) {
  return fold(p, "*", args, 1, 0, multiply_step);
}

Term divide(Process& p, Args args) {
  if (!all_integers(args)) return p.fail_badarg("/", args);
  bool inverse = args.size() == 1;
  std::int64_t v = inverse ? 1 : args[0].as_integer();
  for (std::uint32_t i = inverse ? 0 : 1; i < args.size(); i++) {
    std::int64_t by = args[i].as_integer();
    if (by == 0) return fail_zero(p, "/", args);
    if (v % by != 0) return fail_number(p, "unsupported-number", "/", args);
    v /= by;
  }
  return Term::fits_integer(v) ? Term::integer(v) : fail_overflow(p, "/", args);
}

Term quotient(Process& p, Args args) {
  if (!all_integers(args)) return p.fail_badarg("quot", args);
  if (args[1].as_integer() == 0) return fail_zero(p, "quot", args);
  std::int64_t v = args[0].as_integer() / args[1].as_integer();
  return Term::fits_integer(v) ? Term::integer(v) : fail_overflow(p, "quot", args);
}

Term remainder(Process& p, Args args) {
  if (!all_integers(args)) return p.fail_badarg("rem", args);
  if (args[1].as_integer() == 0) return fail_zero(p, "rem", args);
  return Term::integer(args[0].as_integer() % args[1].as_integer());
}

Term modulo(Process& p, Args args) {
  if (!all_integers(args)) return p.fail_badarg("mod", args);
  std::int64_t by = args[1].as_integer();
  if (by == 0) return fail_zero(p, "mod", args);
  std::int64_t r = args[0].as_integer() % by;
  return Term::integer(r != 0 && (r < 0) != (by < 0) ? r + by : r);
}

Term increment(Process& p, Args args) {
  return fold(p, "inc", args, 1, 0, add_step);
}

Term decrement(Process& p, Args args) {
  return fold(p, "dec", args, -1, 0, add_step);
}

Term absolute(Process& p, Args args) {
  if (!args[0].is_integer()) return p.fail_badarg("abs", args);
  std::int64_t v = args[0].as_integer();
  if (v < 0) v = -v;
  return Term::fits_integer(v) ? Term::integer(v) : fail_overflow(p, "abs", args);
}

Term maximum(Process& p, Args args) {
  if (!all_integers(args)) return p.fail_badarg("max", args);
  Term v = args[0];
  for (std::uint32_t i = 1; i < args.size(); i++) {
    if (args[i].as_integer() > v.as_integer()) v = args[i];
  }
  return v;
}

Term minimum(Process& p, Args args) {
  if (!all_integers(args)) return p.fail_badarg("min", args);
  Term v = args[0];
  for (std::uint32_t i = 1; i < args.size(); i++) {
    if (args[i].as_integer() < v.as_integer()) v = args[i];
  }
  return v;
}

Term less(Process& p, Args args) {
  return chain(p, "<", args, [](auto a, auto b) { return a < b; });
}
Term greater(Process& p, Args args) {
  return chain(p, ">", args, [](auto a, auto b) { return a > b; });
}
Term less_equal(Process& p, Args args) {
  return chain(p, "<=", args, [](auto a, auto b) { return a <= b; });
}
Term greater_equal(Process& p, Args args) {
  return chain(p, ">=", args, [](auto a, auto b) { return a >= b; });
}

Term is_zero(Process& p, Args args) {
  return predicate(p, "zero?", args, [](auto n) { return n == 0; });
}
Term is_positive(Process& p, Args args) {
  return predicate(p, "pos?", args, [](auto n) { return n > 0; });
}
Term is_negative(Process& p, Args args) {
  return predicate(p, "neg?", args, [](auto n) { return n < 0; });
}
Term is_even(Process& p, Args args) {
  return predicate(p, "even?", args, [](auto n) { return (n & 1) == 0; });
}
Term is_odd(Process& p, Args args) {
  return predicate(p, "odd?", args, [](auto n) { return (n & 1) != 0; });
}

Term bit_and(Process& p, Args args) {
  return fold_bits(p, "bit-and", args, [](auto a, auto b) { return a & b; });
}
Term bit_or(Process& p, Args args) {
  return fold_bits(p, "bit-or", args, [](auto a, auto b) { return a | b; });
}
Term bit_xor(Process& p, Args args) {
  return fold_bits(p, "bit-xor", args, [](auto a, auto b) { return a ^ b; });
}

Term bit_not(Process& p, Args args) {
  if (!args[0].is_integer()) return p.fail_badarg("bit-not", args);
  return Term::integer(~args[0].as_integer());
}

Term bit_shl(Process& p, Args args) {
  if (!all_integers(args) || args[1].as_integer() < 0) return p.fail_badarg("bit-shl", args);
  std::int64_t n = args[0].as_integer(), by = args[1].as_integer(), v;
  if (n == 0) return args[0];
  if (by >= kIntegerBits || __builtin_mul_overflow(n, std::int64_t{1} << by, &v) ||
      !Term::fits_integer(v)) {
    return fail_overflow(p, "bit-shl", args);
  }
  return Term::integer(v);
}

Term bit_shr(Process& p, Args args) {
  if (!all_integers(args) || args[1].as_integer() < 0) return p.fail_badarg("bit-shr", args);
  std::int64_t by = args[1].as_integer();
  return Term::integer(args[0].as_integer() >> (by < 63 ? by : 63));
}

Term bit_test(Process& p, Args args) {
  if (!all_integers(args) || args[1].as_integer() < 0) return p.fail_badarg("bit-test", args);
  return Term::boolean(bit_of(args[0].as_integer(), args[1].as_integer()));
}

Term bit_set(Process& p, Args args) {
  return change_bit(p, "bit-set", args, [](bool) { return true; });
}
Term bit_clear(Process& p, Args args) {
  return change_bit(p, "bit-clear", args, [](bool) { return false; });
}
Term bit_flip(Process& p, Args args) {
  return change_bit(p, "bit-flip", args, [](bool now) { return !now; });
}

Term bit_field(Process& p, Args args) {
  if (!all_integers(args) || !is_field(args[1], args[2])) return p.fail_badarg("bit-field", args);
  std::int64_t shifted = args[0].as_integer() >> args[1].as_integer();
  return Term::integer(shifted & low_mask(args[2].as_integer()));
}

Term bit_field_set(Process& p, Args args) {
  if (!all_integers(args) || !is_field(args[1], args[2])) {
    return p.fail_badarg("bit-field-set", args);
  }
  std::int64_t start = args[1].as_integer(), mask = low_mask(args[2].as_integer()) << start;
  std::int64_t value = args[3].as_integer() << start;
  return Term::integer((args[0].as_integer() & ~mask) | (value & mask));
}

Term bit_count(Process& p, Args args) {
  if (!args[0].is_integer() || args[0].as_integer() < 0) return p.fail_badarg("bit-count", args);
  return Term::integer(std::popcount(static_cast<std::uint64_t>(args[0].as_integer())));
}

Term mask_bits(Process& p, Args args) {
  if (!args[0].is_integer() || !is_field(Term::integer(0), args[0])) {
    return p.fail_badarg("mask-bits", args);
  }
  return Term::integer(low_mask(args[0].as_integer()));
}

Term mask_range(Process& p, Args args) {
  if (!all_integers(args)) return p.fail_badarg("mask-range", args);
  std::int64_t start = args[0].as_integer(), end = args[1].as_integer();
  if (start < 0 || end < start || end >= kIntegerBits) return p.fail_badarg("mask-range", args);
  return Term::integer(low_mask(end - start) << start);
}

}  // namespace lona::vm::natives
