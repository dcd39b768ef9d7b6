// SPDX-License-Identifier: BSD-2-Clause
// Shared binaries: bytes that one realm has written, and that it and others read from then on.
//
// The frames are of a realm that outlives all who see them: of the one that makes the binary, for
// those below it; of its parent, for the parent and the parent's other children. The capabilities
// by which a realm sees a binary, and the page tables, are that realm's own. So a binary stays
// whole whoever ends, the end of a realm takes away what it saw, and the memory is its owner's
// again when nobody has the binary, or is to get it, any more. A few frames are kept then for the
// next binary of the same maker: what is in them it has written itself, so they need no zeroing.
//
// Each realm's book lists the binaries made of its memory. `lock_` guards all books and is held for
// short looks, never while the kernel makes or maps something: a binary that a realm has, or that
// is on its way to it, stays, and only that realm's own service thread takes it or lets it go. It
// is taken before the lock of the realms.
#pragma once

#include "manager/lock.hpp"
#include "manager/realm.hpp"

namespace lona::manager {

class Realms;

class SharedBinaries {
 public:
  explicit SharedBinaries(Realms& realms) : realms_(realms) {}
  void use(abi::CPtr lock) { lock_.use(lock); }
  [[nodiscard]] const Lock& lock() const { return lock_; }

  struct Made {
    std::uint64_t number;
    std::uint64_t place;
    std::uint64_t dirty;
  };
  [[nodiscard]] base::Expected<Made, abi::Status> make(Realm& maker, const MakeBinary& request);
  [[nodiscard]] abi::Status give(Realm& giver, const GiveBinary& request);
  struct Taken {
    std::uint64_t place;
    std::uint64_t bytes;
  };
  [[nodiscard]] base::Expected<Taken, abi::Status> take(Realm& taker, const TakeBinary& request);
  [[nodiscard]] abi::Status take_back(Realm& giver, const TakeBackBinary& request);
  [[nodiscard]] abi::Status drop(Realm& realm, const DropBinary& request);

  // The memory of binaries that nobody has is the owner's again. Whoever calls has claimed it.
  void reclaim(Realm& owner);
  // Likewise of those that are kept for their makers. False: none was.
  [[nodiscard]] bool spare(Realm& owner);
  // The realm and all below it, a child of `parent`, have been destroyed and are still in the tree.
  void leave(Realm& parent, std::uint32_t top);

 private:
  struct Found {
    Realm* owner = nullptr;
    BinaryBook::Binary* binary = nullptr;
  };
  [[nodiscard]] Found find(Realm& asking, std::uint64_t number);
  [[nodiscard]] bool has_place(std::uint32_t realm, Realm& owner, Realm* above);
  [[nodiscard]] Realm* owner_for(Realm& maker, std::uint32_t realm);
  [[nodiscard]] abi::Status make_frames(Realm& maker, Realm& owner, BinaryBook::Binary& binary,
                                        std::uint64_t count);
  // Whoever calls these two has claimed the owner's memory; and not for the others, unless it is
  // the owner.
  [[nodiscard]] abi::Status reserve_frames(Realm& owner, BinaryBook::Binary& binary,
                                           std::uint64_t count);
  bool take_empty(Realm& owner);  // were there any?
  void clear(Realm& maker, Realm& owner);
  void empty_dead(Realm& owner);

  Realms& realms_;
  Lock lock_;
  std::uint64_t made_ = 0;
};

}  // namespace lona::manager
