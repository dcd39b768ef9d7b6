// SPDX-License-Identifier: BSD-2-Clause
// What the natives on numbers share: from faults to exit reasons, and what long work costs.
#pragma once

#include "vm/native/natives_data.hpp"
#include "vm/number/number.hpp"

namespace lona::vm::natives {

// [:error :badarg …], [:error :division-by-zero …] or [:error :oom].
Term fail_number(Process& p, NumberFault fault, const char* fn, Args args);

inline Term or_fault(Process& p, NumberResult result, const char* fn, Args args) {
  return result.has_value() ? *result : fail_number(p, result.error(), fn, args);
}

// Words of a number's digits; 1 when it is not long.
inline std::size_t number_words(Term t) {
  if (is_kind(t, Kind::kBignum)) return header_of(t).words();
  if (is_kind(t, Kind::kRatio)) return number_words(slot(t, 0)) + number_words(slot(t, 1));
  return 1;
}
// For work on so many pairs of words: about one nanosecond each, and less when there are many.
inline void charge_words(Process& p, std::size_t a, std::size_t b) {
  std::size_t pairs = a < 64 || b < 64 ? a * b : (a + b) * 64;
  p.charge(static_cast<std::uint32_t>(pairs / 8 < 10'000'000 ? pairs / 8 : 10'000'000));
}

}  // namespace lona::vm::natives
