// SPDX-License-Identifier: BSD-2-Clause
// The order of numbers by their exact values, without a heap: fractions are compared crosswise in
// scratch memory, floats being fractions too.
#include <cmath>

#include "vm/number/arithmetic.hpp"
#include "vm/number/integer.hpp"

namespace lona::vm {

namespace {

using Order = std::partial_ordering;

Order three_way(int c) {
  return c < 0 ? Order::less : c > 0 ? Order::greater : Order::equivalent;
}

struct Limbs {
  const Limb* data;
  std::size_t size;

  std::size_t bits() const {
    return size == 0
               ? 0
               : size * kLimbBits - static_cast<std::size_t>(std::countl_zero(data[size - 1]));
  }
};

// A finite number as sign, numerator and denominator.
class Fraction {
 public:
  explicit Fraction(Term t) : n_(numerator_of(t)), d_(denominator_of(t)) {
    numerator_ = {n_.limbs(), n_.size()};
    denominator_ = {d_.limbs(), d_.size()};
    negative_ = n_.negative();
    NumberType type = number_type(t);
    if (is_fixed(type)) {
      Wide value = fixed_value(t);
      negative_ = value < 0;
      set(static_cast<Limb>(negative_ ? -value : value), 0);
    } else if (type == NumberType::kFloat || type == NumberType::kFloat32) {
      set_float(type == NumberType::kFloat ? float_value(t) : float32_value(t));
    }
  }
  Fraction(const Fraction&) = delete;
  Fraction& operator=(const Fraction&) = delete;

  int sign() const { return numerator_.size == 0 ? 0 : negative_ ? -1 : 1; }
  Limbs numerator() const { return numerator_; }
  Limbs denominator() const { return denominator_; }

 private:
  static Term numerator_of(Term t) {
    if (is_kind(t, Kind::kRatio)) return slot(t, 0);
    return is_exact_integer(t) ? t : Term::integer(0);
  }
  static Term denominator_of(Term t) {
    return is_kind(t, Kind::kRatio) ? slot(t, 1) : Term::integer(1);
  }

  // m 2^exponent
  void set(Limb m, int exponent) {
    constexpr int kBits = kLimbBits;
    if (m == 0) {
      numerator_.size = 0;
      return;
    }
    int up = exponent > 0 ? exponent : 0, down = exponent < 0 ? -exponent : 0;
    power(own_n_, numerator_, m, up / kBits, up % kBits);
    power(own_d_, denominator_, 1, down / kBits, down % kBits);
  }
  static void power(Limb* to, Limbs& out, Limb m, int limbs, int bits) {
    for (int i = 0; i < limbs; i++) to[i] = 0;
    to[limbs] = m << bits;
    to[limbs + 1] = bits == 0 ? 0 : m >> (kLimbBits - static_cast<unsigned>(bits));
    out = {to, static_cast<std::size_t>(limbs) + 1 + (to[limbs + 1] != 0)};
  }
  void set_float(double value) {
    auto word = std::bit_cast<std::uint64_t>(value);
    negative_ = word >> 63 != 0;
    auto exponent = static_cast<int>(word >> 52 & 0x7ff);
    Limb m = word & ((Limb{1} << 52) - 1);
    set(exponent == 0 ? m : m | Limb{1} << 52, (exponent == 0 ? 1 : exponent) - 1075);
  }

  static constexpr std::size_t kFloatLimbs = 1100 / kLimbBits + 2;
  IntegerView n_, d_;
  Limbs numerator_, denominator_;
  bool negative_;
  Limb own_n_[kFloatLimbs], own_d_[kFloatLimbs];
};

int compare_limbs(Limbs a, Limbs b) {
  if (a.size != b.size) return a.size < b.size ? -1 : 1;
  return a.size == 0 ? 0 : mpn_cmp(a.data, b.data, static_cast<mp_size_t>(a.size));
}

bool is_one(Limbs a) {
  return a.size == 1 && a.data[0] == 1;
}

// The product at `to`, which has room for all its limbs.
Limbs product(Limb* to, Limbs a, Limbs b) {
  if (a.size < b.size) std::swap(a, b);
  mpn_mul(to, a.data, static_cast<mp_size_t>(a.size), b.data, static_cast<mp_size_t>(b.size));
  std::size_t n = a.size + b.size;
  return {to, n - (to[n - 1] == 0)};
}

// Of numbers that are not 0.
base::Expected<int, NumberFault> compare_sizes(const Fraction& a, const Fraction& b) {
  Limbs an = a.numerator(), ad = a.denominator(), bn = b.numerator(), bd = b.denominator();
  if (is_one(ad) && is_one(bd)) return compare_limbs(an, bn);
  // A product has the bits of its factors together, or one less.
  std::size_t left = an.bits() + bd.bits(), right = bn.bits() + ad.bits();
  if (left + 1 < right) return -1;
  if (right + 1 < left) return 1;
  Scratch x(an.size + bd.size), y(bn.size + ad.size);
  if (x.data() == nullptr || y.data() == nullptr) return base::fail(NumberFault::kNoMemory);
  int c = 0;
  if (!with_work_space(
          [&] { c = compare_limbs(product(x.data(), an, bd), product(y.data(), bn, ad)); })) {
    return base::fail(NumberFault::kNoMemory);
  }
  return c;
}

bool float_of(Term t, double& out) {
  if (is_float(t)) {
    out = float_value(t);
  } else if (is_float32(t)) {
    out = float32_value(t);
  } else {
    return false;
  }
  return true;
}

}  // namespace

base::Expected<Order, NumberFault> number_order(Term a, Term b) {
  if (a.is_integer() && b.is_integer()) {
    std::int64_t x = a.as_integer(), y = b.as_integer();
    return x < y ? Order::less : x > y ? Order::greater : Order::equivalent;
  }
  if (!is_number(a) || !is_number(b)) return base::fail(NumberFault::kNotNumber);
  double x = 0, y = 0;
  bool fx = float_of(a, x), fy = float_of(b, y);
  if (fx && fy) return x <=> y;
  if (std::isnan(x) || std::isnan(y)) return Order::unordered;
  if (std::isinf(x)) return x < 0 ? Order::less : Order::greater;
  if (std::isinf(y)) return y < 0 ? Order::greater : Order::less;
  Fraction p(a), q(b);
  if (p.sign() != q.sign()) return three_way(p.sign() - q.sign());
  if (p.sign() == 0) return Order::equivalent;
  int c = TRY(compare_sizes(p, q));
  return three_way(p.sign() < 0 ? -c : c);
}

base::Expected<int, NumberFault> number_sign(Term a) {
  if (a.is_integer()) return a.as_integer() < 0 ? -1 : a.as_integer() > 0;
  double x;
  if (float_of(a, x)) {
    if (std::isnan(x)) return base::fail(NumberFault::kNotNumber);
    return x < 0 ? -1 : x > 0;
  }
  if (!is_number(a)) return base::fail(NumberFault::kNotNumber);
  return Fraction(a).sign();
}

}  // namespace lona::vm
