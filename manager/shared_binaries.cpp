// SPDX-License-Identifier: BSD-2-Clause
#include "manager/shared_binaries.hpp"

#include <bit>

#include "manager/realms.hpp"

namespace lona::manager {

namespace {

using abi::Status;
using State = BinaryBook::Binary::State;

// Large ones: in small pages a binary costs several system calls for each, in each realm, which is
// about what copying it costs.
std::uint64_t pages_of(std::uint64_t bytes) {
  return std::bit_ceil((bytes + abi::kLargePage - 1) >> abi::kLargePageBits);
}

}  // namespace

// The realm itself for those below it, otherwise its parent: then both realms are that one's.
Realm* SharedBinaries::owner_for(Realm& maker, std::uint32_t realm) {
  if (realms_.below(maker, realm) != nullptr) {
    return &maker;
  }
  Realm* parent = realms_.above(maker);
  const bool good = parent != nullptr && realm != maker.number() &&
                    (parent->number() == realm || realms_.child(*parent, realm) != nullptr);
  return good ? parent : nullptr;
}

// Made of the memory of the realm itself, or of one above it.
SharedBinaries::Found SharedBinaries::find(Realm& asking, std::uint64_t number) {
  for (Realm* realm = &asking; realm != nullptr; realm = realms_.above(*realm)) {
    if (BinaryBook::Binary* binary = realm->binaries().find(number)) {
      return {realm, binary};
    }
  }
  return {};
}

// A window is kept for each use there may be, so that what was given can be taken. Half of them are
// for binaries of the realm's own memory, half for those of realms above, the next of which is
// `above`: so its own book, which may end just now, is looked at by itself only.
bool SharedBinaries::has_place(std::uint32_t realm, Realm& owner, Realm* above) {
  constexpr std::size_t kMost = abi::kBinaryPlaces / 2;
  if (owner.number() == realm) {
    return owner.binaries().uses_of(realm) < kMost;
  }
  std::size_t uses = 0;
  for (; above != nullptr; above = realms_.above(*above)) {
    uses += above->binaries().uses_of(realm);
  }
  return uses < kMost;
}

base::Expected<SharedBinaries::Made, Status> SharedBinaries::make(Realm& maker,
                                                                  const MakeBinary& request) {
  Realm* owner = owner_for(maker, request.realm);
  if (owner == nullptr) {
    return base::fail(Status::kNoSuchRealm);
  }
  clear(maker, *owner);
  const std::uint64_t pages = pages_of(request.bytes);
  const auto place = maker.take_binary_place();
  if (!place) {
    return base::fail(Status::kTooMany);
  }
  BinaryBook& book = owner->binaries();
  BinaryBook::Binary* binary = nullptr;
  BinaryBook::Use* use = nullptr;
  {
    const Guard guard(lock_);
    if (!has_place(maker.number(), *owner, realms_.above(maker))) {
      maker.give_binary_place(*place);
      return base::fail(Status::kTooMany);
    }
    binary = book.add(maker.number(), request.bytes, pages << abi::kLargePageBits,
                      owner->memory_limit());
    use = binary == nullptr ? nullptr
                            : book.add_use(*binary, maker.number(), abi::kNoRealm, owner->number(),
                                           owner->memory_limit());
    if (use == nullptr && binary != nullptr) {
      book.give_up(*binary);
    }
  }
  if (use == nullptr) {
    maker.give_binary_place(*place);
    return base::fail(Status::kOverLimit);
  }
  const Status status = make_frames(maker, *owner, *binary, pages);
  const auto copies = status == Status::kOk
                          ? maker.map_binary(binary->frames, *place, abi::kReadWrite)
                          : base::Expected<abi::CPtr, Status>(base::fail(status));
  if (!copies) {
    maker.give_binary_place(*place);
  }
  const Guard guard(lock_);
  if (!copies) {
    book.end(*use);  // and whoever has the owner's memory takes back the frames
    return base::fail(copies.error());
  }
  binary->number = ++made_;
  binary->state = State::filling;
  use->place = static_cast<std::uint16_t>(*place);
  use->copies = *copies;
  return Made{.number = binary->number, .place = *place, .dirty = binary->dirty};
}

// Whoever works on a Memory keeps others from it. So of its parent's memory a realm may ask for so
// many in a second only, and what takes the kernel long is done when that is let go.
Status SharedBinaries::make_frames(Realm& maker, Realm& owner, BinaryBook::Binary& binary,
                                   std::uint64_t count) {
  if (binary.frames.count != 0) {
    return Status::kOk;  // they were kept
  }
  const bool own = &maker == &owner;
  if (!own && (!realms_.admit_binary(maker) || !realms_.claim_above(maker))) {
    return Status::kOverLimit;
  }
  const Status reserved = reserve_frames(owner, binary, count);
  if (!own) {
    owner.memory().release();
  }
  if (reserved != Status::kOk) {
    return own ? reserved : Status::kOverLimit;
  }
  return owner.memory().fill_frames(binary.frames) ? Status::kOk : Status::kOverLimit;
}

// They are the binary's from then on, also if they are never filled.
Status SharedBinaries::reserve_frames(Realm& owner, BinaryBook::Binary& binary,
                                      std::uint64_t count) {
  const std::uint64_t cost = count << abi::kLargePageBits;
  if (!owner.charge(cost)) {
    return Status::kOverLimit;
  }
  owner.memory().keep_slots_ready(count + 64);
  const auto frames = owner.memory().reserve_frames(abi::kLargePageBits, count);
  if (!frames) {
    owner.discharge(cost);
    return Status::kOutOfMemory;
  }
  const Guard guard(lock_);
  binary.frames = *frames;
  return Status::kOk;
}

Status SharedBinaries::give(Realm& giver, const GiveBinary& request) {
  Found found;
  BinaryBook::Use* held = nullptr;
  bool filling = false;
  {
    const Guard guard(lock_);
    found = find(giver, request.binary);
    held = found.binary == nullptr ? nullptr
                                   : found.owner->binaries().held(*found.binary, giver.number());
    if (held == nullptr) {
      return Status::kNoSuchBinary;
    }
    filling = found.binary->state == State::filling;
  }
  // Who fills it is the only one that has it, and this is its thread.
  if (filling) {
    if (const Status sealed = giver.seal_binary(found.binary->frames, held->place, held->copies);
        sealed != Status::kOk) {
      return sealed;
    }
  }
  Realm* parent = realms_.above(giver);
  const Guard guard(lock_);
  found.binary->state = State::sealed;
  // Those that this realm talks with, when the memory is one's above them.
  Realm* above = nullptr;  // the receiver's parent
  if (realms_.child(giver, request.realm) != nullptr) {
    above = &giver;
  } else if (parent != nullptr && request.realm != giver.number() &&
             realms_.child(*parent, request.realm) != nullptr) {
    above = parent;
  } else if (parent == nullptr || parent->number() != request.realm) {
    return Status::kNoSuchRealm;
  } else {
    above = realms_.above(*parent);
  }
  Realm& owner = *found.owner;
  if (owner.number() != request.realm && realms_.below(owner, request.realm) == nullptr) {
    return Status::kNotAllowed;
  }
  if (!has_place(request.realm, owner, above)) {
    return Status::kOverLimit;
  }
  BinaryBook& book = owner.binaries();
  return book.add_use(*found.binary, request.realm, giver.number(), owner.number(),
                      owner.memory_limit()) != nullptr
             ? Status::kOk
             : Status::kOverLimit;
}

// What was sent becomes the realm's own before it is mapped: then the end of who sent it does not
// take it away.
base::Expected<SharedBinaries::Taken, Status> SharedBinaries::take(Realm& taker,
                                                                   const TakeBinary& request) {
  Found found;
  BinaryBook::Use* use = nullptr;
  Taken taken{};
  {
    const Guard guard(lock_);
    found = find(taker, request.binary);
    use = found.binary == nullptr
              ? nullptr
              : found.owner->binaries().sent(*found.binary, taker.number(), request.from);
    if (use == nullptr) {
      return base::fail(Status::kNoSuchBinary);
    }
    taken.bytes = found.binary->bytes;
    if (const auto* held = found.owner->binaries().held(*found.binary, taker.number())) {
      taken.place = held->place;
      found.owner->binaries().end(*use);
      return taken;
    }
    const auto place = taker.take_binary_place();
    if (!place) {
      return base::fail(place.error());
    }
    taken.place = *place;
    BinaryBook::arrive(*use, taken.place);
  }
  const auto copies = taker.map_binary(found.binary->frames, taken.place, abi::kCanRead);
  const Guard guard(lock_);
  if (!copies) {
    taker.give_binary_place(taken.place);
    BinaryBook::send_again(*use, request.from);
    return base::fail(copies.error());
  }
  use->copies = *copies;
  return taken;
}

Status SharedBinaries::take_back(Realm& giver, const TakeBackBinary& request) {
  const Guard guard(lock_);
  const Found found = find(giver, request.binary);
  auto* sent = found.binary == nullptr
                   ? nullptr
                   : found.owner->binaries().sent(*found.binary, request.realm, giver.number());
  if (sent == nullptr) {
    return Status::kNoSuchBinary;
  }
  found.owner->binaries().end(*sent);
  return Status::kOk;
}

Status SharedBinaries::drop(Realm& realm, const DropBinary& request) {
  Found found;
  BinaryBook::Use* use = nullptr;
  {
    const Guard guard(lock_);
    found = find(realm, request.binary);
    if (found.binary == nullptr) {
      return Status::kNoSuchBinary;
    }
    BinaryBook& book = found.owner->binaries();
    if (request.from != abi::kNoRealm) {
      auto* sent = book.sent(*found.binary, realm.number(), request.from);
      if (sent != nullptr) {
        book.end(*sent);
      }
      return sent != nullptr ? Status::kOk : Status::kNoSuchBinary;
    }
    use = book.held(*found.binary, realm.number());
    if (use == nullptr) {
      return Status::kNoSuchBinary;
    }
  }
  realm.unmap_binary(found.binary->frames, use->copies);
  realm.give_binary_place(use->place);
  {
    const Guard guard(lock_);
    found.owner->binaries().end(*use);
  }
  if (found.owner == &realm) {
    reclaim(realm);
  }
  return Status::kOk;
}

void SharedBinaries::reclaim(Realm& owner) {
  if (owner.binaries().any_dead()) {
    empty_dead(owner);
    (void)take_empty(owner);
  }
}

bool SharedBinaries::spare(Realm& owner) {
  if (!owner.binaries().in_use()) {
    return false;
  }
  {
    const Guard guard(lock_);
    owner.binaries().let_go();
  }
  empty_dead(owner);
  return take_empty(owner);
}

void SharedBinaries::clear(Realm& maker, Realm& owner) {
  if (&maker == &owner || !owner.binaries().any_dead() || !realms_.admit_binary(maker)) {
    return;  // of its own memory it has done so at the beginning of each request
  }
  empty_dead(owner);
  if (realms_.claim_above(maker)) {
    (void)take_empty(owner);
    owner.memory().release();
  }
}

void SharedBinaries::empty_dead(Realm& owner) {
  BinaryBook& book = owner.binaries();
  const auto next = [&] {
    const Guard guard(lock_);
    return book.next_to_empty();
  };
  while (book.any_dead()) {
    BinaryBook::Binary* dead = next();
    if (dead == nullptr) {
      return;
    }
    owner.memory().empty_frames(dead->frames);
    const Guard guard(lock_);
    BinaryBook::emptied(*dead);
  }
}

bool SharedBinaries::take_empty(Realm& owner) {
  BinaryBook& book = owner.binaries();
  bool any = false;
  while (book.any_dead()) {
    BinaryBook::Binary empty;
    {
      const Guard guard(lock_);
      empty = book.take_empty();
    }
    if (empty.frames.count == 0) {
      return any;
    }
    owner.memory().give_frames(empty.frames);
    owner.discharge(empty.cost);
    any = true;
  }
  return any;
}

void SharedBinaries::leave(Realm& parent, std::uint32_t top) {
  for (Realm* owner = &parent; owner != nullptr; owner = realms_.above(*owner)) {
    if (!owner->binaries().in_use()) {
      continue;
    }
    const Guard guard(lock_);
    owner->binaries().leave([&](std::uint32_t realm) {
      return realm != owner->number() && realms_.inside(top, realm);
    });
  }
  reclaim(parent);
}

}  // namespace lona::manager
