// SPDX-License-Identifier: BSD-2-Clause
// Arithmetic and order over all kinds of numbers.
//
// Two numbers of one kind give that kind; but an integer division may give a ratio, a ratio that is
// whole is an integer, and fixed-width integers wrap. Otherwise:
//   - a fixed-width integer with anything but its own kind counts as an integer, so nothing is
//   lost;
//   - an f64 makes the result f64; an f32 makes that of anything exact f32.
// Exact arguments are rounded once, to nearest. Order and `==` compare the exact values.
#pragma once

#include <compare>

#include "vm/number/number.hpp"

namespace lona::vm {

NumberResult number_add(Heap& heap, Term a, Term b);
NumberResult number_subtract(Heap& heap, Term a, Term b);
NumberResult number_multiply(Heap& heap, Term a, Term b);
// With a float: as IEEE 754 says. Otherwise exact, and division by zero is a fault.
NumberResult number_divide(Heap& heap, Term a, Term b);
// Rounded towards zero, its remainder, and the remainder with the sign of b. Of any numbers; by 0
// a fault also for floats.
NumberResult number_quotient(Heap& heap, Term a, Term b);
NumberResult number_remainder(Heap& heap, Term a, Term b);
NumberResult number_modulo(Heap& heap, Term a, Term b);
NumberResult number_negate(Heap& heap, Term a);

// By value; unordered when one is not a number (NaN). Faults: no memory, no number.
base::Expected<std::partial_ordering, NumberFault> number_order(Term a, Term b);
// -1, 0 or 1; nothing for a NaN or what is no number.
base::Expected<int, NumberFault> number_sign(Term a);

// A ratio in lowest terms, or an integer. Both are integers.
NumberResult make_ratio(Heap& heap, Term numerator, Term denominator);

// --- Conversion ---------------------------------------------------------------------------------

base::Expected<double, NumberFault> to_double(Heap& heap, Term number);
base::Expected<float, NumberFault> to_float32(Heap& heap, Term number);
// Fixed-width integers as integers; other numbers as they are.
NumberResult to_plain(Heap& heap, Term number);
// Rounded towards zero. A float must be finite.
NumberResult to_integer(Heap& heap, Term number);
// Integer or ratio with exactly this value. A float must be finite.
NumberResult to_exact(Heap& heap, Term number);
// The low bits of to_integer(number).
NumberResult to_fixed(Heap& heap, NumberType fixed, Term number);

}  // namespace lona::vm
