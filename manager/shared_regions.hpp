// SPDX-License-Identifier: BSD-2-Clause
// Shared regions: memory of one realm that realms below it may see.
//
// Everything of a region is its owner's: frames, the caps that are mapped in other realms, the page
// tables there. So sharing takes nothing from who gets a region, and a region goes with its owner,
// when all that could see it go too. Each realm has a book: of its own regions, of its shares of
// them in others, and of what is in its windows.
//
// A share is made and ended on the owner's service thread, which looks into the other realm's book
// and maps into its address space; `lock_` keeps that realm from being taken down meanwhile. It is
// taken before the lock of the realms, never within it.
#pragma once

#include "manager/lock.hpp"
#include "manager/realm.hpp"

namespace lona::manager {

class Realms;

class SharedRegions {
 public:
  explicit SharedRegions(Realms& realms) : realms_(realms) {}
  void use(abi::CPtr lock) { lock_.use(lock); }

  struct Found {
    std::uint64_t region = abi::kNoRegion;
    std::uint64_t place = 0;
    std::uint64_t bytes = 0;
    bool writable = false;
    std::uint32_t owner = abi::kNoRealm;
    RegionName name;
  };
  [[nodiscard]] base::Expected<Found, abi::Status> make(Realm& owner, const MakeRegion& request);
  [[nodiscard]] abi::Status share(Realm& owner, const ShareRegion& request);
  [[nodiscard]] abi::Status unshare(Realm& owner, const UnshareRegion& request);
  [[nodiscard]] abi::Status release(Realm& owner, const ReleaseRegion& request);
  [[nodiscard]] base::Expected<Found, abi::Status> find(Realm& asking, const FindRegion& request);

  // The windows whose regions were taken away since it was asked last, a bit for each.
  [[nodiscard]] std::uint64_t take_gone(Realm& realm);
  // What shares with realms that have been taken down had cost is the owner's again.
  void reclaim(Realm& owner);
  // The realm and all below it stand still and are about to go: nobody looks into their books after
  // this, nor into the realms themselves, which `forget` is to make sure of.
  template <typename Forget>
  void leave(std::uint32_t top, Forget&& forget) {
    const Guard guard(lock_);
    drop_shares_within(top);
    forget();
  }
  [[nodiscard]] const Lock& lock() const { return lock_; }

 private:
  [[nodiscard]] RegionBook::Place* take_place(RegionBook& book, unsigned page_bits);
  // Frames for a region, mapped in that window of the realm.
  [[nodiscard]] base::Expected<FrameRun, abi::Status> make_frames(Realm& owner, unsigned page_bits,
                                                                  std::uint64_t count,
                                                                  std::size_t place);
  void drop_shares_within(std::uint32_t top);
  [[nodiscard]] abi::Status map_share(Realm& owner, const RegionBook::Owned& region, Realm& realm,
                                      RegionBook::Share& share);
  void drop_share(Realm& owner, RegionBook::Share& share);
  void end_share(Realm& owner, RegionBook::Share& share);

  Realms& realms_;
  Lock lock_;
  std::uint64_t made_ = 0;
};

}  // namespace lona::manager
