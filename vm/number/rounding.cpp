// SPDX-License-Identifier: BSD-2-Clause
#include "vm/number/rounding.hpp"

#include <limits>

#include "vm/number/integer.hpp"

namespace lona::vm {

namespace {

using Mantissa = unsigned __int128;

int bit_length(Mantissa m) {
  auto high = static_cast<std::uint64_t>(m >> 64), low = static_cast<std::uint64_t>(m);
  return high != 0 ? 64 + std::bit_width(high) : std::bit_width(low);
}

// 2 to the power of an exponent at which it is a normal number.
double power_of_two(int exponent) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(exponent + 1023) << 52);
}

// m * 2^exponent, rounded once. The lowest bit of a long m stands for all that was cut off below.
template <class Format>
typename Format::Float round_scaled(bool negative, Mantissa m, std::int64_t exponent) {
  using Float = typename Format::Float;
  if (m == 0) return 0;
  std::int64_t drop = bit_length(m) - Format::kPrecision;
  if (drop < Format::kLeastExponent - exponent) drop = Format::kLeastExponent - exponent;
  if (drop > 127) return negative ? -Float{0} : Float{0};
  if (drop > 0) {
    Mantissa rest = m & ((Mantissa{1} << drop) - 1), half = Mantissa{1} << (drop - 1);
    m >>= drop;
    exponent += drop;
    if (rest > half || (rest == half && (m & 1) != 0)) m++;
  }
  // Now m has at most kPrecision bits, or is a power of two: the rest is exact.
  while ((m & 1) == 0 && m != 0) {
    m >>= 1;
    exponent++;
  }
  Float size;
  if (exponent + bit_length(m) > Format::kMostExponent + Format::kPrecision) {
    size = std::numeric_limits<Float>::infinity();
  } else if (exponent < -1000) {
    // In two steps, as the power itself would be no normal number.
    size = static_cast<Float>(static_cast<double>(static_cast<std::uint64_t>(m)) *
                              power_of_two(-900) * power_of_two(static_cast<int>(exponent) + 900));
  } else {
    size = static_cast<Float>(static_cast<double>(static_cast<std::uint64_t>(m)) *
                              power_of_two(static_cast<int>(exponent)));
  }
  return negative ? -size : size;
}

// The upper bits of a magnitude; the lowest bit of the result is set when any below was.
struct Top {
  Mantissa m;
  std::int64_t exponent;
};
Top top_bits(const IntegerView& x) {
  if (x.size() <= 1) return {x.limb(0), 0};
  std::size_t n = x.size();
  Limb rest = 0;
  for (std::size_t i = 0; i + 2 < n; i++) rest |= x.limb(i);
  Mantissa m = Mantissa{x.limb(n - 1)} << 64 | x.limb(n - 2);
  return {m | (rest != 0), static_cast<std::int64_t>(n - 2) * 64};
}

template <class Format>
base::Expected<typename Format::Float, NumberFault> round_ratio(Heap& heap, Term ratio) {
  Term n = slot(ratio, 0), d = slot(ratio, 1);
  std::int64_t shift;
  bool negative;
  {
    IntegerView x(n), y(d);
    // The quotient shall have 66 or 67 bits: more than any precision and two for rounding.
    shift = 66 - static_cast<std::int64_t>(x.bits()) + static_cast<std::int64_t>(y.bits());
    negative = x.negative();
  }
  if (negative) n = TRY(integer_negate(heap, n));
  if (shift > 0) n = TRY(integer_shift(heap, n, shift));
  if (shift < 0) d = TRY(integer_shift(heap, d, -shift));
  Term q = TRY(integer_quotient(heap, n, d));
  bool exact = integer_is_zero(TRY(integer_remainder(heap, n, d)));
  Top top = top_bits(IntegerView(q));
  return round_scaled<Format>(negative, top.m << 1 | !exact, top.exponent - 1 - shift);
}

}  // namespace

template <class Format>
base::Expected<typename Format::Float, NumberFault> round_exact(Heap& heap, Term exact) {
  if (is_kind(exact, Kind::kRatio)) return round_ratio<Format>(heap, exact);
  IntegerView x(exact);
  Top top = top_bits(x);
  return round_scaled<Format>(x.negative(), top.m, top.exponent);
}
template base::Expected<double, NumberFault> round_exact<Binary64>(Heap&, Term);
template base::Expected<float, NumberFault> round_exact<Binary32>(Heap&, Term);

NumberResult exact_value(Heap& heap, double finite) {
  auto word = std::bit_cast<std::uint64_t>(finite);
  bool negative = word >> 63 != 0;
  auto exponent = static_cast<int>(word >> 52 & 0x7ff);
  auto m = static_cast<std::int64_t>(word & ((std::uint64_t{1} << 52) - 1));
  if (exponent == 0) {
    exponent = 1;
  } else {
    m |= std::int64_t{1} << 52;
  }
  exponent -= 1075;
  if (m == 0) return Term::integer(0);
  int zeros = std::countr_zero(static_cast<std::uint64_t>(m));
  m >>= zeros;
  exponent += zeros;
  if (negative) m = -m;
  if (exponent >= 0) return integer_shift(heap, Term::integer(m), exponent);
  Term below = TRY(integer_shift(heap, Term::integer(1), -exponent));
  Word* p = heap.alloc_box(Kind::kRatio, 2);
  p[1] = Term::integer(m).bits();
  p[2] = below.bits();
  return Term::boxed(p);
}

}  // namespace lona::vm
