// SPDX-License-Identifier: BSD-2-Clause
// Machine words as arguments of natives.
#pragma once

#include <optional>

#include "vm/number/number.hpp"

namespace lona::vm::natives {

// A u64, or an integer of its range.
inline std::optional<Word> unsigned_word(Term t) {
  if (t.is_integer()) {
    if (t.as_integer() < 0) return std::nullopt;
    return static_cast<Word>(t.as_integer());
  }
  if (number_type(t) == NumberType::kU64) return static_cast<Word>(fixed_value(t));
  if (is_kind(t, Kind::kBignum) && header_of(t).words() == 2 && payload(t)[0] == 0) {
    return payload(t)[1];
  }
  return std::nullopt;
}

}  // namespace lona::vm::natives
