// SPDX-License-Identifier: BSD-2-Clause
#include "manager/peer_channels.hpp"

#include "manager/realms.hpp"

namespace lona::manager {

namespace {

using abi::Status;

constexpr std::uint64_t kPages = abi::kChannelSize / abi::kSmallPage;

PeerLink* find(Realm& parent, std::uint32_t one, std::uint32_t other) {
  for (PeerLink& link : parent.links()) {
    if ((link.sides[0].realm == one && link.sides[1].realm == other) ||
        (link.sides[0].realm == other && link.sides[1].realm == one)) {
      return &link;
    }
  }
  return nullptr;
}

}  // namespace

base::Expected<PeerChannels::Connected, Status> PeerChannels::connect(Realm& parent,
                                                                      std::uint32_t first,
                                                                      std::uint32_t second) {
  Realm* one = realms_.child(parent, first);
  Realm* other = realms_.child(parent, second);
  if (one == nullptr || other == nullptr || one == other) {
    return base::fail(Status::kNoSuchRealm);
  }
  if (const PeerLink* link = find(parent, first, second)) {
    const bool same = link->sides[0].realm == first;
    return Connected{link->sides[same ? 0 : 1].number, link->sides[same ? 1 : 0].number};
  }
  PeerLink* link = find(parent, abi::kNoRealm, abi::kNoRealm);
  if (link == nullptr) {
    return base::fail(Status::kTooMany);
  }
  if (!parent.charge(abi::kChannelSize)) {
    return base::fail(Status::kOverLimit);
  }
  const Status status = build(parent, *link, *one, *other);
  if (status != Status::kOk) {
    drop(parent, *link);
    return base::fail(status);
  }
  return Connected{link->sides[0].number, link->sides[1].number};
}

Status PeerChannels::build(Realm& parent, PeerLink& link, Realm& first, Realm& second) {
  Memory& memory = parent.memory();
  memory.keep_slots_ready(4 * kPages);
  Realm* const realms[] = {&first, &second};
  for (std::size_t side = 0; side < 2; ++side) {
    const auto number = realms[side]->take_peer_number();
    if (!number) {
      return number.error();
    }
    link.sides[side] = {.realm = realms[side]->number(), .number = *number, .alive = true};
  }
  const auto frames = memory.make_frames(abi::kPageBits, kPages);
  if (!frames) {
    return Status::kOutOfMemory;
  }
  link.frames = *frames;
  for (std::size_t side = 0; side < 2; ++side) {
    PeerLink::Side& here = link.sides[side];
    const auto copies = memory.take_slots(kPages);
    if (!copies) {
      return Status::kOutOfMemory;
    }
    here.copies = *copies;
    const Status mapped =
        realms[side]->map_peer_channel(here.number, memory, link.frames, here.copies);
    if (mapped != Status::kOk) {
      return mapped;
    }
    if (!realms[side]->add_child_signal(here.number, realms[1 - side]->notification())) {
      return Status::kOutOfMemory;
    }
  }
  return Status::kOk;
}

// The realm of that side has it no more; or it is gone, and there is nothing to be taken from it.
void PeerChannels::drop_side(Realm& parent, PeerLink& link, std::size_t side) {
  PeerLink::Side& here = link.sides[side];
  Realm* realm = here.alive ? realms_.child(parent, here.realm) : nullptr;
  if (realm != nullptr) {
    realm->drop_child_signal(here.number);
  }
  if (here.copies != 0) {
    parent.memory().drop_caps(here.copies, kPages);
    here.copies = 0;
  }
  if (realm != nullptr) {
    realm->give_peer_number(here.number);
  }
  here.alive = false;
}

void PeerChannels::drop(Realm& parent, PeerLink& link) {
  drop_side(parent, link, 0);
  drop_side(parent, link, 1);
  parent.memory().destroy_frames(link.frames);
  parent.discharge(abi::kChannelSize);
  link = {};
}

Status PeerChannels::disconnect(Realm& parent, std::uint32_t one, std::uint32_t other) {
  PeerLink* link = one == abi::kNoRealm ? nullptr : find(parent, one, other);
  if (link == nullptr) {
    return Status::kNoSuchRealm;
  }
  drop(parent, *link);
  return Status::kOk;
}

void PeerChannels::leave(Realm& parent, std::uint32_t child) {
  for (PeerLink& link : parent.links()) {
    for (std::size_t side = 0; side < 2; ++side) {
      if (link.sides[side].realm != child || !link.sides[side].alive) {
        continue;
      }
      PeerLink::Side& there = link.sides[1 - side];
      if (Realm* realm = there.alive ? realms_.child(parent, there.realm) : nullptr) {
        realm->drop_child_signal(there.number);
      }
      drop_side(parent, link, side);
      if (!there.alive) {
        drop(parent, link);
      }
    }
  }
}

}  // namespace lona::manager
