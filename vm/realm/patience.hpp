// SPDX-License-Identifier: BSD-2-Clause
// Since when does a process try something again and again? For those few that wait for memory.
#pragma once

#include <algorithm>
#include <array>

#include "vm/term/term.hpp"

namespace lona::vm {

class Patience {
 public:
  static constexpr std::uint64_t kLongestNs = 5'000'000'000;

  // True when this process has tried for so long that it shall give up. Who has not tried for a
  // second was waiting for something else.
  bool over(Term pid, std::uint64_t now) {
    Wait* wait = find(pid, now);
    if (wait == nullptr) return false;  // too many wait; its time begins when one has ended
    if (wait->pid != pid || now - wait->last > kForgottenNs) *wait = {pid, now, now};
    wait->last = now;
    if (now - wait->since < kLongestNs) return false;
    *wait = {};
    return true;
  }
  void forget(Term pid) {
    if (Wait* wait = known(pid)) *wait = {};
  }
  bool any() const {
    return std::ranges::any_of(waits_, [](const Wait& wait) { return !wait.pid.is_nil(); });
  }

 private:
  static constexpr std::uint64_t kForgottenNs = 1'000'000'000;
  struct Wait {
    Term pid = Term::nil();
    std::uint64_t since = 0, last = 0;
  };

  Wait* known(Term pid) {
    const auto at = std::ranges::find(waits_, pid, &Wait::pid);
    return at == waits_.end() ? nullptr : &*at;
  }
  Wait* find(Term pid, std::uint64_t now) {
    if (Wait* wait = known(pid)) return wait;
    for (Wait& wait : waits_) {
      if (wait.pid.is_nil() || now - wait.last > kForgottenNs) return &wait;
    }
    return nullptr;
  }

  std::array<Wait, 16> waits_{};
};

}  // namespace lona::vm
