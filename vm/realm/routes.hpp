// SPDX-License-Identifier: BSD-2-Clause
// Which neighbour leads to a realm further away: the child that it is below of, or else the parent.
#pragma once

#include <array>

#include "vm/platform/platform.hpp"

namespace lona::vm {

class Routes {
 public:
  void start(std::uint32_t own, std::uint32_t parent);
  // The neighbour's number, or kNoRealm.
  std::uint32_t next(std::uint32_t realm);
  // The parent has passed something on from there.
  void is_above(std::uint32_t realm) { remember(realm, parent_); }

 private:
  struct Known {
    std::uint32_t realm = platform::kNoRealm;
    std::uint32_t next = platform::kNoRealm;
  };

  std::uint32_t child_above(std::uint32_t realm) const;
  void remember(std::uint32_t realm, std::uint32_t next);

  std::uint32_t own_ = 0;
  std::uint32_t parent_ = platform::kNoRealm;
  // Each look below is a request to the memory manager. A realm's number is never another one's.
  std::array<Known, 8> known_{};
  unsigned turn_ = 0;
};

}  // namespace lona::vm
