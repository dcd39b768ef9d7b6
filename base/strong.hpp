// SPDX-License-Identifier: BSD-2-Clause
// Integers that do not mix: a physical address is no virtual one, a slot no size.
//
//   struct PhysicalTag;
//   using PhysicalAddress = Strong<std::uint64_t, PhysicalTag>;
//
// Addition and subtraction take a plain number (a distance); two of the same kind subtract to a
// distance. Everything else asks for `raw()`.
#pragma once

#include <compare>
#include <concepts>

namespace lona::base {

template <std::unsigned_integral T, typename Tag>
class Strong {
 public:
  using Raw = T;

  constexpr Strong() = default;
  constexpr explicit Strong(T raw) : raw_(raw) {}

  [[nodiscard]] constexpr T raw() const { return raw_; }

  constexpr Strong& operator+=(T distance) {
    raw_ += distance;
    return *this;
  }
  constexpr Strong& operator-=(T distance) {
    raw_ -= distance;
    return *this;
  }
  [[nodiscard]] friend constexpr Strong operator+(Strong a, T distance) {
    return Strong(static_cast<T>(a.raw_ + distance));
  }
  [[nodiscard]] friend constexpr Strong operator-(Strong a, T distance) {
    return Strong(static_cast<T>(a.raw_ - distance));
  }
  [[nodiscard]] friend constexpr T operator-(Strong a, Strong b) {
    return static_cast<T>(a.raw_ - b.raw_);
  }
  friend constexpr auto operator<=>(Strong, Strong) = default;

 private:
  T raw_ = 0;
};

}  // namespace lona::base
