// SPDX-License-Identifier: BSD-2-Clause
// From exact numbers to the nearest float, ties to even, and back.
#pragma once

#include "vm/number/number.hpp"

namespace lona::vm {

struct Binary64 {
  using Float = double;
  static constexpr int kPrecision = 53;
  static constexpr int kLeastExponent = -1074;  // of the lowest bit
  static constexpr int kMostExponent = 971;     // of the lowest bit of the largest numbers
};
struct Binary32 {
  using Float = float;
  static constexpr int kPrecision = 24;
  static constexpr int kLeastExponent = -149;
  static constexpr int kMostExponent = 104;
};

// The nearest float to an integer or ratio; infinite when it is too large. Ratios need room for
// intermediate results.
template <class Format>
base::Expected<typename Format::Float, NumberFault> round_exact(Heap& heap, Term exact);

// A finite float as an integer or ratio: exactly.
NumberResult exact_value(Heap& heap, double finite);

}  // namespace lona::vm
