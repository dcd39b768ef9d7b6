// SPDX-License-Identifier: BSD-2-Clause
// Integers as rows of bits. What is of fixed width is calculated with as an integer and then cut to
// its width; two different types meet as integers.
#include "vm/native/number_result.hpp"
#include "vm/number/arithmetic.hpp"
#include "vm/number/integer.hpp"

namespace lona::vm::natives {

namespace {

auto not_number() {
  return base::fail(NumberFault::kNotNumber);
}
auto out_of_range() {
  return base::fail(NumberFault::kOutOfRange);
}

// An argument as an integer, and the type its result shall have.
struct Operand {
  Term value;
  NumberType type;
  bool fixed() const { return is_fixed(type); }
  unsigned width() const { return width_of(type).bits; }
};

base::Expected<Operand, NumberFault> operand(Heap& heap, Term t) {
  NumberType type = number_type(t);
  if (type != NumberType::kInteger && !is_fixed(type)) return not_number();
  return Operand{TRY(to_plain(heap, t)), type};
}

NumberResult as_type(Heap& heap, NumberType type, Term value) {
  return is_fixed(type) ? to_fixed(heap, type, value) : NumberResult(value);
}

// The bits of a fixed-width number as one that is not negative.
NumberResult unsigned_bits(Heap& heap, const Operand& n) {
  if (!n.fixed()) return n.value;
  Wide mask = (Wide{1} << n.width()) - 1;
  return integer_from(heap, static_cast<Wide>(integer_low_word(n.value)) & mask);
}

// A count or position: not negative; whatever is larger than any integer is long counts as that.
base::Expected<std::int64_t, NumberFault> count(Heap& heap, Term t) {
  Term n = TRY(operand(heap, t)).value;
  if (integer_is_negative(n)) return out_of_range();
  return n.is_integer() ? n.as_integer() : Term::kMaxInteger;
}

NumberResult low_mask(Heap& heap, std::int64_t bits) {
  Term power = TRY(integer_shift(heap, Term::integer(1), bits));
  return integer_subtract(heap, power, Term::integer(1));
}

NumberResult combine(Heap& heap, BitOperation operation, Term a, Term b) {
  Operand x = TRY(operand(heap, a)), y = TRY(operand(heap, b));
  Term bits = TRY(integer_bits(heap, operation, x.value, y.value));
  return as_type(heap, x.type == y.type ? x.type : NumberType::kInteger, bits);
}

Term combine_all(Process& p, const char* fn, Args args, BitOperation operation) {
  Term value = args[0];
  for (std::uint32_t i = 1; i < args.size(); i++) {
    charge_words(p, number_words(value) + number_words(args[i]), 1);
    NumberResult next = combine(p, operation, value, args[i]);
    if (!next.has_value()) return fail_number(p, next.error(), fn, args);
    value = *next;
  }
  return value;
}

enum class Fill : std::uint8_t { kZero, kSign };

NumberResult shift_left(Heap& heap, Args args) {
  Operand n = TRY(operand(heap, args[0]));
  std::int64_t by = TRY(count(heap, args[1]));
  if (n.fixed() && by >= n.width()) return make_fixed(heap, n.type, 0);
  return as_type(heap, n.type, TRY(integer_shift(heap, n.value, by)));
}

NumberResult shift_right(Heap& heap, Args args, Fill fill) {
  Operand n = TRY(operand(heap, args[0]));
  std::int64_t by = TRY(count(heap, args[1]));
  Term bits = fill == Fill::kZero ? TRY(unsigned_bits(heap, n)) : n.value;
  return as_type(heap, n.type, TRY(integer_shift(heap, bits, -by)));
}

// To the left by `by` of `width`, 0 <= by < width.
NumberResult rotate(Heap& heap, Args args, bool left) {
  Operand n = TRY(operand(heap, args[0]));
  std::int64_t by = TRY(count(heap, args[1])), width = TRY(count(heap, args[2]));
  if (width == 0 || (n.fixed() && width > n.width())) return out_of_range();
  by %= width;
  if (!left) by = (width - by) % width;
  Term mask = TRY(low_mask(heap, width));
  Term bits = TRY(integer_bits(heap, BitOperation::kAnd, n.value, mask));
  Term high = TRY(integer_shift(heap, bits, by));
  Term low = TRY(integer_shift(heap, bits, by - width));
  Term both = TRY(integer_bits(heap, BitOperation::kOr, high, low));
  return as_type(heap, n.type, TRY(integer_bits(heap, BitOperation::kAnd, both, mask)));
}

struct BitOf {
  Operand n;
  std::int64_t bit;
  bool set;
};
base::Expected<BitOf, NumberFault> bit_of(Heap& heap, Args args) {
  Operand n = TRY(operand(heap, args[0]));
  std::int64_t bit = TRY(count(heap, args[1]));
  if (n.fixed() && bit >= n.width()) return out_of_range();
  return BitOf{n, bit, integer_bit(n.value, static_cast<std::uint64_t>(bit))};
}

template <class Change>
NumberResult change_bit(Heap& heap, Args args, Change change) {
  BitOf b = TRY(bit_of(heap, args));
  if (b.set == change(b.set)) return args[0];
  Term bit = TRY(integer_shift(heap, Term::integer(1), b.bit));
  return as_type(heap, b.n.type, TRY(integer_bits(heap, BitOperation::kXor, b.n.value, bit)));
}

struct Field {
  Operand n;
  std::int64_t start;
  Term mask;  // its bits, at the bottom
};
base::Expected<Field, NumberFault> field(Heap& heap, Args args) {
  Operand n = TRY(operand(heap, args[0]));
  std::int64_t start = TRY(count(heap, args[1])), bits = TRY(count(heap, args[2]));
  if (n.fixed() && (start > n.width() || bits > n.width() - start)) return out_of_range();
  return Field{n, start, TRY(low_mask(heap, bits))};
}

NumberResult get_field(Heap& heap, Args args) {
  Field f = TRY(field(heap, args));
  Term low = TRY(integer_shift(heap, f.n.value, -f.start));
  return as_type(heap, f.n.type, TRY(integer_bits(heap, BitOperation::kAnd, low, f.mask)));
}

// What differs between the old and the new field is flipped.
NumberResult set_field(Heap& heap, Args args) {
  Field f = TRY(field(heap, args));
  Term value = TRY(operand(heap, args[3])).value;
  Term low = TRY(integer_shift(heap, f.n.value, -f.start));
  Term differ = TRY(integer_bits(heap, BitOperation::kXor, low, value));
  differ = TRY(integer_bits(heap, BitOperation::kAnd, differ, f.mask));
  differ = TRY(integer_shift(heap, differ, f.start));
  return as_type(heap, f.n.type, TRY(integer_bits(heap, BitOperation::kXor, f.n.value, differ)));
}

NumberResult reverse_bytes(Heap& heap, Term t, unsigned bytes) {
  Operand n = TRY(operand(heap, t));
  if (n.fixed() && n.width() != bytes * 8) return out_of_range();
  Term bits = TRY(unsigned_bits(heap, n));
  if (integer_is_negative(bits) || IntegerView(bits).bits() > bytes * 8) return out_of_range();
  std::uint64_t reversed = __builtin_bswap64(integer_low_word(bits)) >> (64 - bytes * 8);
  return as_type(heap, n.type, TRY(integer_from(heap, static_cast<Wide>(reversed))));
}

NumberResult not_bits(Heap& heap, Args args) {
  Operand n = TRY(operand(heap, args[0]));
  return as_type(heap, n.type, TRY(integer_not(heap, n.value)));
}

NumberResult count_bits(Heap& heap, Args args) {
  Term bits = TRY(unsigned_bits(heap, TRY(operand(heap, args[0]))));
  if (integer_is_negative(bits)) return out_of_range();
  return Term::integer(static_cast<std::int64_t>(integer_bit_count(bits)));
}

NumberResult zeros_above(Heap& heap, Args args) {
  Operand n = TRY(operand(heap, args[0]));
  if (!n.fixed()) return out_of_range();
  Term bits = TRY(unsigned_bits(heap, n));
  return Term::integer(static_cast<std::int64_t>(n.width() - IntegerView(bits).bits()));
}

NumberResult zeros_below(Heap& heap, Args args) {
  Operand n = TRY(operand(heap, args[0]));
  if (!integer_is_zero(n.value)) {
    return Term::integer(static_cast<std::int64_t>(integer_trailing_zeros(n.value)));
  }
  return n.fixed() ? NumberResult(Term::integer(n.width())) : NumberResult(out_of_range());
}

NumberResult mask_of(Heap& heap, Args args) {
  return low_mask(heap, TRY(count(heap, args[0])));
}

NumberResult mask_between(Heap& heap, Args args) {
  std::int64_t start = TRY(count(heap, args[0])), end = TRY(count(heap, args[1]));
  if (end < start) return out_of_range();
  return integer_shift(heap, TRY(low_mask(heap, end - start)), start);
}

Term finish(Process& p, NumberResult result, const char* fn, Args args) {
  charge_words(p, number_words(args[0]), 1);
  return or_fault(p, result, fn, args);
}

}  // namespace

Term bit_and(Process& p, Args args) {
  return combine_all(p, "bit-and", args, BitOperation::kAnd);
}
Term bit_or(Process& p, Args args) {
  return combine_all(p, "bit-or", args, BitOperation::kOr);
}
Term bit_xor(Process& p, Args args) {
  return combine_all(p, "bit-xor", args, BitOperation::kXor);
}
Term bit_not(Process& p, Args args) {
  return finish(p, not_bits(p, args), "bit-not", args);
}
Term bit_shl(Process& p, Args args) {
  return finish(p, shift_left(p, args), "bit-shl", args);
}
Term bit_shr(Process& p, Args args) {
  return finish(p, shift_right(p, args, Fill::kZero), "bit-shr", args);
}
Term bit_sar(Process& p, Args args) {
  return finish(p, shift_right(p, args, Fill::kSign), "bit-sar", args);
}
Term bit_rol(Process& p, Args args) {
  return finish(p, rotate(p, args, true), "bit-rol", args);
}
Term bit_ror(Process& p, Args args) {
  return finish(p, rotate(p, args, false), "bit-ror", args);
}

Term bit_test(Process& p, Args args) {
  auto b = bit_of(p, args);
  return b.has_value() ? Term::boolean(b->set) : fail_number(p, b.error(), "bit-test", args);
}
Term bit_set(Process& p, Args args) {
  return finish(p, change_bit(p, args, [](bool) { return true; }), "bit-set", args);
}
Term bit_clear(Process& p, Args args) {
  return finish(p, change_bit(p, args, [](bool) { return false; }), "bit-clear", args);
}
Term bit_flip(Process& p, Args args) {
  return finish(p, change_bit(p, args, [](bool now) { return !now; }), "bit-flip", args);
}

Term bit_field(Process& p, Args args) {
  return finish(p, get_field(p, args), "bit-field", args);
}
Term bit_field_set(Process& p, Args args) {
  return finish(p, set_field(p, args), "bit-field-set", args);
}
Term bit_count(Process& p, Args args) {
  return finish(p, count_bits(p, args), "bit-count", args);
}
Term leading_zeros(Process& p, Args args) {
  return finish(p, zeros_above(p, args), "leading-zeros", args);
}
Term trailing_zeros(Process& p, Args args) {
  return finish(p, zeros_below(p, args), "trailing-zeros", args);
}
Term byte_reverse16(Process& p, Args args) {
  return finish(p, reverse_bytes(p, args[0], 2), "byte-reverse16", args);
}
Term byte_reverse32(Process& p, Args args) {
  return finish(p, reverse_bytes(p, args[0], 4), "byte-reverse32", args);
}
Term byte_reverse64(Process& p, Args args) {
  return finish(p, reverse_bytes(p, args[0], 8), "byte-reverse64", args);
}
Term mask_bits(Process& p, Args args) {
  return finish(p, mask_of(p, args), "mask-bits", args);
}
Term mask_range(Process& p, Args args) {
  return finish(p, mask_between(p, args), "mask-range", args);
}

}  // namespace lona::vm::natives
