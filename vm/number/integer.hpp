// SPDX-License-Identifier: BSD-2-Clause
// Integers of any size. Arguments are integer terms, small or Bignum; the caller has checked that
// (`is_exact_integer`). Small results are small integers always.
//
// Costs, in limbs of 64 bits: sums, shifts and bits O(n); products and quotients of n by m limbs
// O(n m) and, when both are long, much less; text O(n²) and, when long, much less.
#pragma once

#include <span>
#include <string_view>

#include "vm/number/multiprecision.hpp"
#include "vm/number/number.hpp"

namespace lona::vm {

// Sign and magnitude of an integer term; the limbs of a small one are in the view itself.
class IntegerView {
 public:
  explicit IntegerView(Term integer);
  IntegerView(const IntegerView&) = delete;
  IntegerView& operator=(const IntegerView&) = delete;

  bool negative() const { return negative_; }
  std::size_t size() const { return size_; }  // limbs; the highest is not 0. 0 has none
  const Limb* limbs() const { return limbs_; }
  Limb limb(std::size_t i) const { return i < size_ ? limbs_[i] : 0; }
  std::size_t bits() const;  // of the magnitude
  bool is_zero() const { return size_ == 0; }

 private:
  Limb small_;
  const Limb* limbs_;
  std::size_t size_;
  bool negative_;
};

// A Bignum being filled in: exactly `size` limbs, of which the upper ones may turn out as 0.
// `limbs` is null when there is no memory, or the number is larger than any may be.
class NewInteger {
 public:
  NewInteger(Heap& heap, std::size_t size);
  explicit operator bool() const { return limbs_ != nullptr; }
  Limb* limbs() { return limbs_; }
  // Nothing may have been allocated since, but what was given back again.
  Term finish(bool negative);
  // Gives all of it back: it was work space.
  void drop();

 private:
  Heap& heap_;
  Limb* limbs_;
  std::size_t size_;
};

NumberResult integer_from(Heap& heap, Wide value);
// Of a double that is a whole number.
NumberResult integer_from_double(Heap& heap, double whole);

NumberResult integer_add(Heap& heap, Term a, Term b);
NumberResult integer_subtract(Heap& heap, Term a, Term b);
NumberResult integer_multiply(Heap& heap, Term a, Term b);
NumberResult integer_negate(Heap& heap, Term a);
// Rounded towards zero; b is not 0.
NumberResult integer_quotient(Heap& heap, Term a, Term b);
NumberResult integer_remainder(Heap& heap, Term a, Term b);  // has the sign of a
NumberResult integer_modulo(Heap& heap, Term a, Term b);     // has the sign of b
NumberResult integer_gcd(Heap& heap, Term a, Term b);        // not negative
NumberResult integer_root(Heap& heap, Term a);               // the square root, rounded down

int integer_compare(Term a, Term b);  // negative, zero or positive
inline bool integer_is_zero(Term a) {
  return a == Term::integer(0);
}
bool integer_is_negative(Term a);
bool integer_is_odd(Term a);

// --- Bits: as if a sign went on for ever --------------------------------------------------------

enum class BitOperation : std::uint8_t { kAnd, kOr, kXor };
NumberResult integer_bits(Heap& heap, BitOperation operation, Term a, Term b);
NumberResult integer_not(Heap& heap, Term a);
// By so many bits to the left; to the right when negative, rounded down.
NumberResult integer_shift(Heap& heap, Term a, std::int64_t left);
bool integer_bit(Term a, std::uint64_t bit);
std::uint64_t integer_bit_count(Term a);       // of a number that is not negative
std::uint64_t integer_trailing_zeros(Term a);  // of a number that is not 0
// The low 64 bits.
std::uint64_t integer_low_word(Term a);

// --- Text ---------------------------------------------------------------------------------------

// Digits of this radix, and underscores, which are passed over. At least one digit.
NumberResult integer_parse(Heap& heap, std::string_view digits, unsigned radix, bool negative);
// Enough bytes for the number's digits and sign.
std::size_t integer_text_size(Term a, unsigned radix);
// Writes lower-case digits to `out` (of integer_text_size bytes); what was written, or nothing when
// there is no memory.
std::string_view integer_text(Term a, unsigned radix, std::span<char> out);

}  // namespace lona::vm
