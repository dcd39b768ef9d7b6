// SPDX-License-Identifier: BSD-2-Clause
// Faults that the manager serves (a stack that grows) cost it time, and lines of the log cost
// everybody time, so a realm may have only so many in a second.
#pragma once

#include <cstdint>

namespace lona::manager {

class RateLimit {
 public:
  explicit RateLimit(std::uint64_t per_second) : per_second_(per_second) {}

  // May it have one more now? `hertz`: ticks of a second.
  [[nodiscard]] bool admit(std::uint64_t now, std::uint64_t hertz) {
    if (now - start_ >= hertz) {
      start_ = now;
      count_ = 0;
    }
    ++total_;
    return ++count_ <= per_second_;
  }
  [[nodiscard]] std::uint64_t total() const { return total_; }

 private:
  std::uint64_t per_second_;
  std::uint64_t start_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace lona::manager
