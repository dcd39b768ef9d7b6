// SPDX-License-Identifier: BSD-2-Clause
// Faults that the manager serves (a stack that grows) cost it time, so a realm may have only so
// many in a second.
#pragma once

#include <cstdint>

namespace lona::manager {

class FaultLimit {
 public:
  static constexpr std::uint64_t kPerSecond = 1'000;

  // May one more be served now? `hertz`: ticks of a second.
  [[nodiscard]] bool admit(std::uint64_t now, std::uint64_t hertz) {
    if (now - start_ >= hertz) {
      start_ = now;
      count_ = 0;
    }
    ++total_;
    return ++count_ <= kPerSecond;
  }
  [[nodiscard]] std::uint64_t total() const { return total_; }

 private:
  std::uint64_t start_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace lona::manager
