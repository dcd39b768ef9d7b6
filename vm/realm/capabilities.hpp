// SPDX-License-Identifier: BSD-2-Clause
// Endpoints and notifications that go from realm to realm.
//
// What is sent is an offer: the memory manager is told who may take which capability, and gives it
// a number. The receiver's value is that number and the realm it came from; the capability itself
// is taken into a slot of the receiver's when something is first done with it. So nobody fills the
// slots of others, and a value that comes in has no effect.
#pragma once

#include "vm/data/machine_value.hpp"
#include "vm/platform/kernel_objects.hpp"
#include "vm/realm/wire.hpp"
#include "vm/sched/lock.hpp"

namespace lona::vm {

class Capabilities {
 public:
  using Error = platform::RealmError;

  void start(std::uint32_t own_realm) { own_ = own_realm; }

  // Where this realm has it; a capability of another realm is taken for that, unless it was
  // already.
  struct Found {
    Error error = Error::kNone;  // kBadState: it is worth nothing, or not any more
    std::uint32_t slot = platform::kNoSlot;
  };
  Found find(const Capability& cap);
  // One of another realm takes its slot anew when it is used again.
  void release(const Capability& cap);

  // A slot that was filled with a copy of what is, or was, in an own slot.
  void note_copy(std::uint32_t slot, const ObjectKind& kind);
  // The kind with what its origin is.
  ObjectKind kind_of(const Capability& cap, std::uint32_t slot);

  // What stands for it in a message to that realm.
  wire::Encoded offer(const Capability& cap, std::uint32_t to, std::uint64_t& number);
  // The realm will be sent nothing any more.
  void forget(std::uint32_t realm);
  // Gives back the slots of capabilities whose objects have ended.
  void sweep();

 private:
  static constexpr std::size_t kOffers = 128;
  static constexpr std::size_t kTaken = 128;
  struct Origin {
    std::uint32_t use;     // of the slot that this is about
    std::uint32_t origin;  // see ObjectKind
    std::uint64_t badge;
  };
  struct Offer {
    std::uint32_t origin;  // 0: none
    std::uint32_t to;
    std::uint64_t rights;
    std::uint64_t badge;
    std::uint64_t number;
  };
  struct Taken {
    std::uint32_t realm;
    std::uint32_t slot;
    std::uint32_t use;  // 0: none
    std::uint32_t rights;
    std::uint64_t number;
  };
  // In pages that only a realm with capabilities has.
  struct Tables {
    Offer offers[kOffers];
    Taken taken[kTaken];
    Origin origins[];
  };

  bool ready();
  Found find_locked(const Capability& cap);
  Taken* taken(const Capability& cap);
  Found take(const Capability& cap);
  void sweep_locked();
  Origin origin_of(std::uint32_t slot) const;
  wire::Encoded ask_offer(const Offer& wanted, std::uint64_t& number);

  SpinLock lock_;
  std::uint32_t own_ = 0;
  Tables* tables_ = nullptr;
};

}  // namespace lona::vm
