// SPDX-License-Identifier: BSD-2-Clause
// What the manager knows of one realm's shared regions (shared_regions.hpp).
#pragma once

#include <algorithm>
#include <array>
#include <atomic>

#include "manager/memory.hpp"
#include "manager/request.hpp"

namespace lona::manager {

class RegionBook {
 public:
  static constexpr std::size_t kOwned = 16;
  static constexpr std::size_t kShares = 48;

  // A window of the realm.
  struct Place {
    enum class State : std::uint8_t { free, own, held, gone };
    State state = State::free;
    bool writable = false;
    std::uint32_t owner = abi::kNoRealm;
    std::uint64_t region = abi::kNoRegion;
  };
  struct Owned {
    std::uint64_t region = abi::kNoRegion;
    std::uint64_t bytes = 0;
    std::size_t place = 0;
    FrameRun frames;
    RegionName name;
  };
  // An own region in another realm.
  struct Share {
    std::uint64_t region = abi::kNoRegion;
    std::uint32_t realm = abi::kNoRealm;
    std::size_t place = 0;  // there
    abi::CPtr copies = 0;
    std::uint64_t count = 0;
    KernelObject table;
    bool stale = false;  // that realm was taken down
  };

  // Null: there is none, or, for kNoRegion, all are in use.
  [[nodiscard]] Owned* owned(std::uint64_t region) {
    return first(own, [&](const Owned& one) { return one.region == region; });
  }
  [[nodiscard]] Share* share(std::uint64_t region, std::uint32_t realm) {
    return first(shares, [&](const Share& one) {
      return one.region == region && one.realm == realm && !one.stale;
    });
  }
  [[nodiscard]] Share* unused_share() { return share(abi::kNoRegion, abi::kNoRealm); }
  // Half of the windows are for regions of large pages: a page table that was made for small ones
  // stays in the owner's address space.
  [[nodiscard]] Place* free_place(unsigned page_bits) {
    return first(places, [&](const Place& one) {
      return one.state == Place::State::free &&
             (number_of(one) < places.size() / 2) == (page_bits == abi::kPageBits);
    });
  }
  [[nodiscard]] std::size_t number_of(const Place& place) const {
    return static_cast<std::size_t>(&place - places.data());
  }

  std::array<Place, abi::kRegionPlaces> places{};
  std::array<Owned, kOwned> own{};
  std::array<Share, kShares> shares{};
  std::atomic<bool> any_stale{false};

 private:
  template <typename T, std::size_t n, typename Test>
  [[nodiscard]] static T* first(std::array<T, n>& all, Test&& test) {
    T* const found = std::find_if(all.begin(), all.end(), test);
    return found == all.end() ? nullptr : found;
  }
};

}  // namespace lona::manager
