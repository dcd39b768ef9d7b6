// SPDX-License-Identifier: BSD-2-Clause
// Who wants to be woken when? One deadline for each realm. The earliest is found by looking at all
// that were ever used, with a lock held: a microsecond for a thousand realms.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "abi/lona/protocol.hpp"

namespace lona::manager {

class Deadlines {
 public:
  static constexpr std::size_t kMax = 1024;

  void set(std::size_t who, std::uint64_t tick) {
    ticks_[who] = tick;
    end_ = who < end_ ? end_ : who + 1;
  }
  void clear(std::size_t who) { ticks_[who] = abi::kNoDeadlineTick; }

  [[nodiscard]] std::uint64_t earliest() const {
    std::uint64_t best = abi::kNoDeadlineTick;
    for (std::size_t who = 0; who < end_; ++who) {
      best = ticks_[who] < best ? ticks_[who] : best;
    }
    return best;
  }

  // Takes out all whose deadline is not after `now`, and calls f(who).
  template <typename F>
  void take_due(std::uint64_t now, F&& f) {
    for (std::size_t who = 0; who < end_; ++who) {
      if (ticks_[who] <= now && ticks_[who] != abi::kNoDeadlineTick) {
        clear(who);
        f(who);
      }
    }
  }

  constexpr Deadlines() { ticks_.fill(abi::kNoDeadlineTick); }

 private:
  std::array<std::uint64_t, kMax> ticks_{};
  std::size_t end_ = 0;  // no deadline from here on
};

}  // namespace lona::manager
