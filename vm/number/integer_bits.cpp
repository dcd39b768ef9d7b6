// SPDX-License-Identifier: BSD-2-Clause
// Integers as endless rows of bits: a negative number's go on with ones (two's complement).
#include "vm/number/integer.hpp"

namespace lona::vm {

namespace {

// The limbs of an integer in two's complement, from the lowest on, without end.
class TwosComplement {
 public:
  explicit TwosComplement(Term t) : view_(t), carry_(view_.negative()) {}
  std::size_t size() const { return view_.size() + 1; }  // with a limb of its sign
  Limb next() {
    Limb limb = view_.limb(at_++);
    if (!view_.negative()) return limb;
    limb = ~limb + carry_;
    carry_ = carry_ && limb == 0;
    return limb;
  }

 private:
  IntegerView view_;
  std::size_t at_ = 0;
  Limb carry_;
};

Limb combine(BitOperation operation, Limb a, Limb b) {
  switch (operation) {
    case BitOperation::kAnd:
      return a & b;
    case BitOperation::kOr:
      return a | b;
    default:
      return a ^ b;
  }
}

NumberResult shift_left(Heap& heap, Term a, std::uint64_t by) {
  IntegerView x(a);
  std::uint64_t whole = by / kLimbBits;
  unsigned part = by % kLimbBits;
  if (whole > kMaxLimbs) return base::fail(NumberFault::kNoMemory);
  std::size_t n = x.size();
  NewInteger r(heap, n + whole + 1);
  if (!r) return base::fail(NumberFault::kNoMemory);
  mpn_zero(r.limbs(), static_cast<mp_size_t>(whole));
  Limb* high = r.limbs() + whole;
  high[n] = 0;
  if (part != 0) {
    high[n] = mpn_lshift(high, x.limbs(), static_cast<mp_size_t>(n), part);
  } else {
    mpn_copyi(high, x.limbs(), static_cast<mp_size_t>(n));
  }
  return r.finish(x.negative());
}

NumberResult shift_right(Heap& heap, Term a, std::uint64_t by) {
  IntegerView x(a);
  if (by >= x.bits()) return Term::integer(x.negative() ? -1 : 0);
  std::uint64_t whole = by / kLimbBits;
  unsigned part = by % kLimbBits;
  std::size_t n = x.size() - whole;
  NewInteger r(heap, n + 1);
  if (!r) return base::fail(NumberFault::kNoMemory);
  Limb lost = 0;
  for (std::size_t i = 0; i < whole; i++) lost |= x.limb(i);
  if (part != 0) {
    lost |= mpn_rshift(r.limbs(), x.limbs() + whole, static_cast<mp_size_t>(n), part);
  } else {
    mpn_copyi(r.limbs(), x.limbs() + whole, static_cast<mp_size_t>(n));
  }
  r.limbs()[n] = 0;
  if (x.negative() && lost != 0) mpn_add_1(r.limbs(), r.limbs(), static_cast<mp_size_t>(n + 1), 1);
  return r.finish(x.negative());
}

}  // namespace

NumberResult integer_bits(Heap& heap, BitOperation operation, Term a, Term b) {
  TwosComplement x(a), y(b);
  std::size_t n = x.size() > y.size() ? x.size() : y.size();
  NewInteger r(heap, n);
  if (!r) return base::fail(NumberFault::kNoMemory);
  for (std::size_t i = 0; i < n; i++) r.limbs()[i] = combine(operation, x.next(), y.next());
  bool negative = static_cast<std::int64_t>(r.limbs()[n - 1]) < 0;
  if (negative) mpn_neg(r.limbs(), r.limbs(), static_cast<mp_size_t>(n));
  return r.finish(negative);
}

NumberResult integer_not(Heap& heap, Term a) {
  return integer_subtract(heap, Term::integer(-1), a);
}

NumberResult integer_shift(Heap& heap, Term a, std::int64_t left) {
  if (integer_is_zero(a) || left == 0) return a;
  if (left < 0) return shift_right(heap, a, -static_cast<std::uint64_t>(left));
  return shift_left(heap, a, static_cast<std::uint64_t>(left));
}

bool integer_bit(Term a, std::uint64_t bit) {
  IntegerView x(a);
  std::uint64_t limb = bit / kLimbBits;
  if (limb >= x.size()) return x.negative();
  bool set = (x.limb(limb) >> bit % kLimbBits & 1) != 0;
  // The bits of -x are those of x below its lowest 1, and the opposite above.
  return x.negative() && bit > integer_trailing_zeros(a) ? !set : set;
}

std::uint64_t integer_bit_count(Term a) {
  IntegerView x(a);
  return x.is_zero() ? 0 : mpn_popcount(x.limbs(), static_cast<mp_size_t>(x.size()));
}

std::uint64_t integer_trailing_zeros(Term a) {
  IntegerView x(a);
  return mpn_scan1(x.limbs(), 0);
}

std::uint64_t integer_low_word(Term a) {
  IntegerView x(a);
  return x.negative() ? -x.limb(0) : x.limb(0);
}

}  // namespace lona::vm
