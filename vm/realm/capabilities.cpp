// SPDX-License-Identifier: BSD-2-Clause
#include "vm/realm/capabilities.hpp"

namespace lona::vm {

namespace {

std::uint64_t number_of(const Capability& cap) {
  return std::uint64_t{cap.slot} | std::uint64_t{cap.use} << 32;
}

constexpr std::uint32_t as_origin(std::uint32_t slot, std::uint32_t use) {
  return slot << 16 | use;
}
constexpr std::uint32_t slot_of(std::uint32_t origin) {
  return origin >> 16;
}

}  // namespace

bool Capabilities::ready() {
  if (tables_ != nullptr || platform::slots_depth() == 0) return tables_ != nullptr;
  const std::size_t slots = std::size_t{1} << platform::slots_depth();
  tables_ = static_cast<Tables*>(
      platform::map_pages(platform::whole_pages(sizeof(Tables) + slots * sizeof(Origin))));
  return tables_ != nullptr;
}

// --- Own slots -----------------------------------------------------------------------------------

// What nothing is known of was made there.
Capabilities::Origin Capabilities::origin_of(std::uint32_t slot) const {
  const std::uint32_t use = platform::slot_use(slot);
  const Origin& known = tables_->origins[slot];
  return known.use == use ? known : Origin{.use = use, .origin = as_origin(slot, use), .badge = 0};
}

void Capabilities::note_copy(std::uint32_t slot, const ObjectKind& kind) {
  const Guard guard(lock_);
  if (!ready()) return;
  tables_->origins[slot] = {
      .use = platform::slot_use(slot), .origin = kind.origin, .badge = kind.badge};
}

ObjectKind Capabilities::kind_of(const Capability& cap, std::uint32_t slot) {
  const Guard guard(lock_);
  ObjectKind kind = cap.kind;
  if (!ready()) return kind;
  const Origin origin = origin_of(slot);
  kind.origin = origin.origin;
  kind.badge = origin.badge;
  return kind;
}

// --- Taking --------------------------------------------------------------------------------------

Capabilities::Found Capabilities::find(const Capability& cap) {
  if (cap.realm == own_) {
    const bool there = cap.use != 0 && platform::slot_use(cap.slot) == cap.use;
    return there ? Found{.slot = cap.slot} : Found{.error = Error::kBadState};
  }
  const Guard guard(lock_);
  return find_locked(cap);
}

Capabilities::Found Capabilities::find_locked(const Capability& cap) {
  if (number_of(cap) == 0) return {.error = Error::kBadState};
  if (!ready()) return {.error = Error::kNoMemory};
  if (const Taken* known = taken(cap); known != nullptr) return {.slot = known->slot};
  Found found = take(cap);
  if (found.error == Error::kTooMany) {
    sweep_locked();
    found = take(cap);
  }
  return found;
}

Capabilities::Taken* Capabilities::taken(const Capability& cap) {
  for (Taken& one : tables_->taken) {
    if (one.use == 0 || one.realm != cap.realm || one.number != number_of(cap) ||
        one.rights != cap.kind.rights) {
      continue;
    }
    if (platform::slot_use(one.slot) == one.use) return &one;
    one = {};  // its slot was given back, because the object has ended
  }
  return nullptr;
}

Capabilities::Found Capabilities::take(const Capability& cap) {
  Taken* place = nullptr;
  for (Taken& one : tables_->taken) {
    if (one.use == 0 || platform::slot_use(one.slot) != one.use) place = &one;
  }
  const std::uint32_t slot = place == nullptr ? platform::kNoSlot : platform::take_slot();
  if (slot == platform::kNoSlot) return {.error = Error::kTooMany};
  bool is_endpoint = false;
  const Error error =
      platform::take_capability(slot, cap.realm, number_of(cap), cap.kind.rights, is_endpoint);
  const bool as_said = is_endpoint == (cap.kind.type == MachineType::kEndpoint);
  if (error != Error::kNone || !as_said) {
    platform::give_slot(slot);
    const bool lack = error == Error::kTooMany || error == Error::kNoMemory;
    return {.error = lack ? error : Error::kBadState};
  }
  *place = {.realm = cap.realm,
            .slot = slot,
            .use = platform::slot_use(slot),
            .rights = cap.kind.rights,
            .number = number_of(cap)};
  return {.slot = slot};
}

void Capabilities::release(const Capability& cap) {
  if (cap.realm == own_) {
    (void)platform::give_slot_of_use(cap.slot, cap.use);
    return;
  }
  const Guard guard(lock_);
  if (tables_ == nullptr) return;
  if (Taken* const known = taken(cap); known != nullptr) {
    (void)platform::give_slot_of_use(known->slot, known->use);
    *known = {};
  }
}

void Capabilities::sweep() {
  const Guard guard(lock_);
  if (tables_ != nullptr) sweep_locked();
}

void Capabilities::sweep_locked() {
  std::uint32_t lost[64];
  std::size_t count = std::size(lost);
  while (count == std::size(lost)) {
    count = platform::lost_capabilities(lost);
    for (Taken& one : tables_->taken) {
      for (std::size_t at = 0; at < count && one.use != 0; ++at) {
        if (one.slot != lost[at]) continue;
        (void)platform::give_slot_of_use(one.slot, one.use);
        one = {};
      }
    }
  }
}

// --- Offering ------------------------------------------------------------------------------------

wire::Encoded Capabilities::offer(const Capability& cap, std::uint32_t to, std::uint64_t& number) {
  number = 0;
  const MachineType type = cap.kind.type;
  if (type != MachineType::kEndpoint && type != MachineType::kNotification) {
    return wire::Encoded::kNotSendable;
  }
  const Guard guard(lock_);
  if (!ready()) return wire::Encoded::kNoMemory;
  std::uint32_t slot = cap.slot;
  if (cap.realm != own_) {
    const Found found = find_locked(cap);
    if (found.error == Error::kTooMany) return wire::Encoded::kTooMany;
    if (found.error == Error::kNoMemory) return wire::Encoded::kNoMemory;
    // What is worth nothing here is worth nothing there.
    if (found.error != Error::kNone) return wire::Encoded::kOk;
    slot = found.slot;
  } else if (cap.use == 0 || platform::slot_use(slot) != cap.use) {
    return wire::Encoded::kOk;
  }
  const Origin origin = origin_of(slot);
  // Made of a program's own untyped, of which the manager knows nothing.
  if (origin.origin == 0) return wire::Encoded::kNotSendable;
  return ask_offer({.origin = origin.origin,
                    .to = to,
                    .rights = cap.kind.rights,
                    .badge = origin.badge,
                    .number = 0},
                   number);
}

// The manager is asked once. When the table is full, an answer is forgotten, not an offer.
wire::Encoded Capabilities::ask_offer(const Offer& wanted, std::uint64_t& number) {
  const std::uint32_t slot = slot_of(wanted.origin);
  const auto alive = [](std::uint32_t origin) {
    return origin != 0 && as_origin(slot_of(origin), platform::slot_use(slot_of(origin))) == origin;
  };
  // A copy in a program's table outlives what it was copied from.
  if (!alive(wanted.origin)) return wire::Encoded::kOk;
  Offer* place = &tables_->offers[wanted.origin % kOffers];
  for (Offer& known : tables_->offers) {
    if (!alive(known.origin)) {
      place = &known;
    } else if (known.origin == wanted.origin && known.to == wanted.to &&
               known.rights == wanted.rights && known.badge == wanted.badge) {
      number = known.number;
      return wire::Encoded::kOk;
    }
  }
  switch (platform::offer_capability(slot, wanted.to, wanted.rights, wanted.badge, number)) {
    case Error::kNone:
      *place = wanted;
      place->number = number;
      return wire::Encoded::kOk;
    case Error::kTooMany:
      return wire::Encoded::kTooMany;
    case Error::kNoMemory:
      return wire::Encoded::kNoMemory;
    default:
      number = 0;
      return wire::Encoded::kNotSendable;
  }
}

void Capabilities::forget(std::uint32_t realm) {
  const Guard guard(lock_);
  if (tables_ == nullptr) return;
  for (Offer& known : tables_->offers) {
    if (known.to == realm) known = {};
  }
}

}  // namespace lona::vm
