// SPDX-License-Identifier: BSD-2-Clause
// Arithmetic on numbers that came from outside: overflow is an answer, never a wrong number.
#pragma once

#include <concepts>
#include <optional>

namespace lona::base {

template <std::unsigned_integral T>
[[nodiscard]] constexpr std::optional<T> checked_add(T a, std::type_identity_t<T> b) {
  T sum{};
  if (__builtin_add_overflow(a, b, &sum)) {
    return std::nullopt;
  }
  return sum;
}

template <std::unsigned_integral T>
[[nodiscard]] constexpr std::optional<T> checked_mul(T a, std::type_identity_t<T> b) {
  T product{};
  if (__builtin_mul_overflow(a, b, &product)) {
    return std::nullopt;
  }
  return product;
}

// True when [start, start + length) lies in [0, limit).
template <std::unsigned_integral T>
[[nodiscard]] constexpr bool range_within(T start, std::type_identity_t<T> length,
                                          std::type_identity_t<T> limit) {
  return start <= limit && length <= limit - start;
}

// Alignments are powers of two.
template <std::unsigned_integral T>
[[nodiscard]] constexpr T align_down(T value, std::type_identity_t<T> alignment) {
  return value & ~(alignment - 1);
}

template <std::unsigned_integral T>
[[nodiscard]] constexpr bool is_aligned(T value, std::type_identity_t<T> alignment) {
  return (value & (alignment - 1)) == 0;
}

template <std::unsigned_integral T>
[[nodiscard]] constexpr std::optional<T> align_up(T value, std::type_identity_t<T> alignment) {
  const auto raised = checked_add<T>(value, alignment - 1);
  if (!raised) {
    return std::nullopt;
  }
  return align_down<T>(*raised, alignment);
}

}  // namespace lona::base
