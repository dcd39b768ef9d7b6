// SPDX-License-Identifier: BSD-2-Clause
// Capabilities that go from realm to realm: endpoints and notifications.
//
// A realm offers what it has made, or has taken itself, to one other realm, with some of the
// rights. The offer is a number, which is all that goes through the channel: whoever gets it, and
// is the realm it was meant for, takes the capability into a slot of its own when it needs it. So a
// sender fills no slot of the receiver's, and a number that was forged or guessed is worth nothing.
//
// The manager mints from a capability that it has kept itself, and so knows what it is of. All
// copies are descendants of the object's block: they end when the object does, with its realm at
// the latest. `lock_` keeps objects and realms from going while one is minted; it is taken before
// the lock of the realms.
#pragma once

#include "manager/lock.hpp"
#include "manager/realm.hpp"

namespace lona::manager {

class Realms;

class SentCapabilities {
 public:
  SentCapabilities(Realms& realms, AddressSpace& own) : realms_(realms), own_(own) {}
  void use(abi::CPtr lock) { lock_.use(lock); }

  [[nodiscard]] abi::Status make_object(Realm& realm, const AsidPools& asids,
                                        const MakeObject& request);
  // Also gives back what was taken.
  [[nodiscard]] abi::Status free_object(Realm& realm, std::uint64_t slot);

  [[nodiscard]] base::Expected<std::uint64_t, abi::Status> offer(Realm& realm,
                                                                 const OfferCapability& request);
  [[nodiscard]] base::Expected<abi::ObjectType, abi::Status> take(Realm& realm,
                                                                  const TakeCapability& request);
  // How many slots of the realm have lost what they were filled with, which are then forgotten.
  [[nodiscard]] std::size_t take_lost(Realm& realm, std::span<std::uint64_t> slots);

  // Nobody looks into the realms that `forget` is about after this.
  template <typename Forget>
  void leave(Forget&& forget) {
    const Guard guard(lock_);
    forget();
  }
  [[nodiscard]] const Lock& lock() const { return lock_; }

 private:
  // The realm has a book from here on.
  [[nodiscard]] abi::Status open_book(Realm& realm);
  [[nodiscard]] CapabilityBook* book_of(std::uint32_t realm, Realm*& found);
  // False: nothing was taken into that slot.
  [[nodiscard]] bool give_back(CapabilityBook& book, std::uint64_t slot);
  // Null: it is gone. `owner` is the realm that has made it.
  [[nodiscard]] CapabilityBook::Original* find(const CapabilityBook::Object& object, Realm*& owner);
  [[nodiscard]] base::Expected<CapabilityBook::Right, abi::Status> right_of(
      Realm& realm, const OfferCapability& request);
  [[nodiscard]] CapabilityBook::Offer* place_for_offer(CapabilityBook& book, std::uint32_t to);
  [[nodiscard]] CapabilityBook::Taken* place_for_taken(CapabilityBook& book, std::uint32_t from);

  Realms& realms_;
  AddressSpace& own_;
  Lock lock_;
};

}  // namespace lona::manager
