// SPDX-License-Identifier: BSD-2-Clause
// What the manager knows of one realm's capabilities that go from realm to realm
// (sent_capabilities.hpp).
#pragma once

#include <algorithm>
#include <array>
#include <span>

#include "abi/lona/protocol.hpp"
#include "abi/lona/realm_start.hpp"
#include "abi/sel4/object_types.hpp"
#include "abi/sel4/types.hpp"

namespace lona::manager {

class CapabilityBook {
 public:
  static constexpr std::size_t kOffers = 128;
  static constexpr std::size_t kTaken = 128;

  // What a realm's own slot is filled with is the realm's to change, also by moving something else
  // there. So a capability to each object that could be sent stays here.
  struct Original {
    abi::CPtr cap = 0;  // 0: there is none
    std::uint32_t serial = 0;
    std::uint32_t type = 0;  // abi::ObjectType
  };
  // An original, also when it is gone.
  struct Object {
    std::uint32_t realm = abi::kNoRealm;
    std::uint32_t slot = 0;
    std::uint32_t serial = 0;

    bool operator==(const Object&) const = default;
  };
  struct Right {
    Object object;
    std::uint64_t rights = 0;
    std::uint64_t badge = 0;

    bool operator==(const Right&) const = default;
  };
  struct Offer {
    std::uint64_t number = 0;  // 0: none
    std::uint32_t to = abi::kNoRealm;
    Right right;
  };
  struct Taken {
    std::uint32_t from = abi::kNoRealm;  // kNoRealm: none
    std::uint32_t slot = 0;
    Right right;
  };

  explicit CapabilityBook(std::span<Original> originals) : originals_(originals) {}

  // Null: none.
  [[nodiscard]] Original* original(std::uint64_t slot) {
    return slot < originals_.size() && originals_[slot].cap != 0 ? &originals_[slot] : nullptr;
  }
  [[nodiscard]] Original* original(const Object& object) {
    Original* const found = original(object.slot);
    return found != nullptr && found->serial == object.serial ? found : nullptr;
  }
  void keep(std::uint64_t slot, abi::CPtr cap, abi::ObjectType type) {
    originals_[slot] = {.cap = cap, .serial = ++serials_, .type = static_cast<std::uint32_t>(type)};
  }
  [[nodiscard]] Offer* offer(std::uint64_t number) {
    const auto found = std::ranges::find(offers, number, &Offer::number);
    return number == 0 || found == offers.end() ? nullptr : &*found;
  }
  [[nodiscard]] Taken* taken(std::uint64_t slot) {
    const auto found = std::ranges::find_if(
        taken_, [&](const Taken& one) { return one.from != abi::kNoRealm && one.slot == slot; });
    return found == taken_.end() ? nullptr : &*found;
  }
  [[nodiscard]] std::array<Taken, kTaken>& all_taken() { return taken_; }

  std::array<Offer, kOffers> offers{};
  std::uint64_t offered = 0;  // numbers given out

 private:
  std::span<Original> originals_;
  std::array<Taken, kTaken> taken_{};
  std::uint32_t serials_ = 0;
};

}  // namespace lona::manager
