// SPDX-License-Identifier: BSD-2-Clause
// Which slots of the manager's CSpace are empty? A bitmap for each CNode of up to 4096 slots.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "abi/sel4/types.hpp"

namespace lona::manager {

class SlotAllocator {
 public:
  static constexpr std::uint64_t kPageSlots = 4096;

  class Page;
  // `pages`: one for each CNode it can know of.
  explicit SlotAllocator(std::span<Page> pages) : pages_(pages) {}

  // Adds empty slots of one CNode. False when the table is full; slots beyond kPageSlots in one
  // call are the caller's to add in a further one.
  [[nodiscard]] bool add(abi::CPtr first, std::uint64_t count);

  // `count` consecutive slots of one CNode, 1 … kPageSlots.
  [[nodiscard]] std::optional<abi::CPtr> take(std::uint64_t count = 1);
  void give(abi::CPtr first, std::uint64_t count = 1);

  [[nodiscard]] std::uint64_t free_slots() const { return free_; }
  [[nodiscard]] bool can_add() const { return pages_used_ < pages_.size(); }

  class Page {
    friend SlotAllocator;

    abi::CPtr first = 0;
    std::uint64_t count = 0;
    std::uint64_t free = 0;
    std::uint64_t hint = 0;  // no empty slot lies below it
    std::array<std::uint64_t, kPageSlots / 64> used{};

    void set(std::uint64_t at, bool value);
    [[nodiscard]] std::optional<std::uint64_t> find(std::uint64_t wanted) const;
  };

 private:
  std::span<Page> pages_;
  std::size_t pages_used_ = 0;
  std::uint64_t free_ = 0;
};

}  // namespace lona::manager
