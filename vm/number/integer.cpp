// SPDX-License-Identifier: BSD-2-Clause
#include "vm/number/integer.hpp"

#include <cstring>
#include <utility>

namespace lona::vm {

namespace {

auto no_memory() {
  return base::fail(NumberFault::kNoMemory);
}

// |a| compared with |b|.
int compare_magnitudes(const IntegerView& a, const IntegerView& b) {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.size() == 0 ? 0 : mpn_cmp(a.limbs(), b.limbs(), a.size());
}

NumberResult add_magnitudes(Heap& heap, const IntegerView& a, const IntegerView& b, bool negative) {
  const IntegerView& longer = a.size() >= b.size() ? a : b;
  const IntegerView& shorter = a.size() >= b.size() ? b : a;
  std::size_t n = longer.size();
  NewInteger r(heap, n + 1);
  if (!r) return no_memory();
  Limb carry = 0;
  if (shorter.size() != 0) {
    carry = mpn_add(r.limbs(), longer.limbs(), n, shorter.limbs(), shorter.size());
  } else if (n != 0) {
    mpn_copyi(r.limbs(), longer.limbs(), n);
  }
  r.limbs()[n] = carry;
  return r.finish(negative);
}

// a - b where `negative` is the sign of a.
NumberResult subtract_magnitudes(Heap& heap, const IntegerView& a, const IntegerView& b,
                                 bool negative) {
  int order = compare_magnitudes(a, b);
  if (order == 0) return Term::integer(0);
  const IntegerView& larger = order > 0 ? a : b;
  const IntegerView& smaller = order > 0 ? b : a;
  std::size_t n = larger.size();
  NewInteger r(heap, n);
  if (!r) return no_memory();
  if (smaller.size() != 0) {
    mpn_sub(r.limbs(), larger.limbs(), n, smaller.limbs(), smaller.size());
  } else {
    mpn_copyi(r.limbs(), larger.limbs(), n);
  }
  return r.finish(negative == (order > 0));
}

NumberResult sum(Heap& heap, Term a, Term b, bool negate_b) {
  IntegerView x(a), y(b);
  bool y_negative = y.negative() != negate_b;
  if (x.negative() == y_negative) return add_magnitudes(heap, x, y, y_negative);
  return subtract_magnitudes(heap, x, y, x.negative());
}

}  // namespace

IntegerView::IntegerView(Term integer) {
  if (integer.is_integer()) {
    std::int64_t v = integer.as_integer();
    negative_ = v < 0;
    small_ = negative_ ? -static_cast<Limb>(v) : static_cast<Limb>(v);
    limbs_ = &small_;
    size_ = v != 0;
    return;
  }
  small_ = 0;
  negative_ = payload(integer)[0] != 0;
  limbs_ = payload(integer) + 1;
  size_ = header_of(integer).words() - 1;
}

std::size_t IntegerView::bits() const {
  if (size_ == 0) return 0;
  return size_ * kLimbBits - static_cast<std::size_t>(std::countl_zero(limbs_[size_ - 1]));
}

NewInteger::NewInteger(Heap& heap, std::size_t size) : heap_(heap), limbs_(nullptr), size_(size) {
  if (size > kMaxLimbs) return;
  Word* p = heap.try_alloc(size + 2);
  if (p == nullptr) return;
  p[0] = Header::make(Kind::kBignum, size + 1).bits();
  limbs_ = p + 2;
}

void NewInteger::drop() {
  heap_.give_back(limbs_ - 2, limbs_ + size_);
}

Term NewInteger::finish(bool negative) {
  std::size_t n = size_;
  while (n != 0 && limbs_[n - 1] == 0) n--;
  Limb low = n == 0 ? 0 : limbs_[0];
  constexpr Limb kEdge = Limb{1} << 60;
  if (n == 0 || (n == 1 && low < kEdge + negative)) {
    drop();
    auto value = static_cast<std::int64_t>(low);
    return Term::integer(negative ? -value : value);
  }
  Word* header = limbs_ - 2;
  header[0] = Header::make(Kind::kBignum, n + 1).bits();
  header[1] = negative;
  heap_.give_back(limbs_ + n, limbs_ + size_);
  return Term::boxed(header);
}

NumberResult integer_from(Heap& heap, Wide value) {
  if (value >= Term::kMinInteger && value <= Term::kMaxInteger) {
    return Term::integer(static_cast<std::int64_t>(value));
  }
  NewInteger r(heap, 2);
  if (!r) return no_memory();
  bool negative = value < 0;
  auto magnitude = static_cast<unsigned __int128>(value);
  if (negative) magnitude = -magnitude;
  r.limbs()[0] = static_cast<Limb>(magnitude);
  r.limbs()[1] = static_cast<Limb>(magnitude >> 64);
  return r.finish(negative);
}

NumberResult integer_from_double(Heap& heap, double whole) {
  auto word = std::bit_cast<std::uint64_t>(whole);
  int exponent = static_cast<int>(word >> 52 & 0x7ff) - 1075;
  if (exponent <= -53) return Term::integer(0);
  auto mantissa =
      static_cast<std::int64_t>((word & ((std::uint64_t{1} << 52) - 1)) | std::uint64_t{1} << 52);
  return integer_shift(heap, Term::integer(whole < 0 ? -mantissa : mantissa), exponent);
}

NumberResult integer_add(Heap& heap, Term a, Term b) {
  return sum(heap, a, b, false);
}
NumberResult integer_subtract(Heap& heap, Term a, Term b) {
  return sum(heap, a, b, true);
}
NumberResult integer_negate(Heap& heap, Term a) {
  return sum(heap, Term::integer(0), a, true);
}

NumberResult integer_multiply(Heap& heap, Term a, Term b) {
  IntegerView x(a), y(b);
  if (x.is_zero() || y.is_zero()) return Term::integer(0);
  const IntegerView& longer = x.size() >= y.size() ? x : y;
  const IntegerView& shorter = x.size() >= y.size() ? y : x;
  std::size_t n = longer.size(), m = shorter.size();
  NewInteger r(heap, n + m);
  if (!r) return no_memory();
  if (m == 1) {
    r.limbs()[n] = mpn_mul_1(r.limbs(), longer.limbs(), n, shorter.limb(0));
  } else {
    bool done = with_work_space([&] {
      if (longer.limbs() == shorter.limbs()) {
        mpn_sqr(r.limbs(), longer.limbs(), n);
      } else {
        mpn_mul(r.limbs(), longer.limbs(), n, shorter.limbs(), m);
      }
    });
    if (!done) return no_memory();
  }
  return r.finish(x.negative() != y.negative());
}

namespace {

enum class Part : std::uint8_t { kQuotient, kRemainder };

NumberResult divide(Heap& heap, Term a, Term b, Part part) {
  IntegerView x(a), y(b);
  if (compare_magnitudes(x, y) < 0) return part == Part::kQuotient ? Term::integer(0) : a;
  std::size_t n = x.size(), m = y.size();
  // The part that is wanted comes first, so that the other can be given back.
  NewInteger first(heap, part == Part::kQuotient ? n - m + 1 : m);
  if (!first) return no_memory();
  NewInteger second(heap, part == Part::kQuotient ? m : n - m + 1);
  if (!second) return no_memory();
  NewInteger& q = part == Part::kQuotient ? first : second;
  NewInteger& r = part == Part::kQuotient ? second : first;
  if (m == 1) {
    r.limbs()[0] = mpn_divrem_1(q.limbs(), 0, x.limbs(), n, y.limb(0));
  } else if (!with_work_space(
                 [&] { mpn_tdiv_qr(q.limbs(), r.limbs(), 0, x.limbs(), n, y.limbs(), m); })) {
    return no_memory();
  }
  second.drop();
  return first.finish(part == Part::kQuotient ? x.negative() != y.negative() : x.negative());
}

}  // namespace

NumberResult integer_quotient(Heap& heap, Term a, Term b) {
  return divide(heap, a, b, Part::kQuotient);
}
NumberResult integer_remainder(Heap& heap, Term a, Term b) {
  return divide(heap, a, b, Part::kRemainder);
}
NumberResult integer_modulo(Heap& heap, Term a, Term b) {
  Term r = TRY(divide(heap, a, b, Part::kRemainder));
  if (integer_is_zero(r) || integer_is_negative(r) == integer_is_negative(b)) return r;
  return integer_add(heap, r, b);
}

NumberResult integer_gcd(Heap& heap, Term a, Term b) {
  {
    IntegerView x(a), y(b);
    if (x.is_zero()) return y.negative() ? integer_negate(heap, b) : b;
    if (y.is_zero()) return x.negative() ? integer_negate(heap, a) : a;
  }
  // mpn_gcd wants the larger number first, the other one odd, and destroys both.
  std::uint64_t twos_a = integer_trailing_zeros(a), twos_b = integer_trailing_zeros(b);
  a = TRY(integer_shift(heap, a, -static_cast<std::int64_t>(twos_a)));
  b = TRY(integer_shift(heap, b, -static_cast<std::int64_t>(twos_b)));
  std::uint64_t twos = twos_a < twos_b ? twos_a : twos_b;
  IntegerView x(a), y(b);
  bool swap = compare_magnitudes(x, y) < 0;
  const IntegerView& larger = swap ? y : x;
  const IntegerView& smaller = swap ? x : y;
  std::size_t n = larger.size(), m = smaller.size();
  NewInteger r(heap, m);
  if (!r) return no_memory();
  if (m == 1) {
    r.limbs()[0] = mpn_gcd_1(larger.limbs(), n, smaller.limb(0));
    return integer_shift(heap, r.finish(false), static_cast<std::int64_t>(twos));
  }
  NewInteger u(heap, n), v(heap, m);
  if (!u || !v) return no_memory();
  mpn_copyi(u.limbs(), larger.limbs(), n);
  mpn_copyi(v.limbs(), smaller.limbs(), m);
  std::size_t size = 0;
  if (!with_work_space([&] {
        size = static_cast<std::size_t>(mpn_gcd(r.limbs(), u.limbs(), n, v.limbs(), m));
      })) {
    return no_memory();
  }
  mpn_zero(r.limbs() + size, m - size);
  v.drop();
  u.drop();
  return integer_shift(heap, r.finish(false), static_cast<std::int64_t>(twos));
}

NumberResult integer_root(Heap& heap, Term a) {
  IntegerView x(a);
  if (x.is_zero()) return a;
  NewInteger r(heap, (x.size() + 1) / 2);
  if (!r) return no_memory();
  if (!with_work_space([&] { mpn_sqrtrem(r.limbs(), nullptr, x.limbs(), x.size()); })) {
    return no_memory();
  }
  return r.finish(false);
}

int integer_compare(Term a, Term b) {
  IntegerView x(a), y(b);
  if (x.negative() != y.negative()) return x.negative() ? -1 : 1;
  int order = compare_magnitudes(x, y);
  return x.negative() ? -order : order;
}

bool integer_is_negative(Term a) {
  return a.is_integer() ? a.as_integer() < 0 : payload(a)[0] != 0;
}

bool integer_is_odd(Term a) {
  return (IntegerView(a).limb(0) & 1) != 0;
}

}  // namespace lona::vm
