// SPDX-License-Identifier: BSD-2-Clause
#include "manager/shared_regions.hpp"

#include <bit>

#include "manager/realms.hpp"

namespace lona::manager {

namespace {

using abi::Error;
using abi::Status;
using State = RegionBook::Place::State;

struct Pages {
  unsigned bits;
  std::uint64_t count;  // a power of two
};

// From 2 MiB on in large pages; a region of small ones has one page table.
Pages pages_of(std::uint64_t bytes) {
  const unsigned bits = bytes > abi::kLargePage / 2 ? abi::kLargePageBits : abi::kPageBits;
  return {bits, std::bit_ceil((bytes + (std::uint64_t{1} << bits) - 1) >> bits)};
}

constexpr std::uint64_t kTableBytes = abi::kSmallPage;

}  // namespace

// Memory is made and given back without the lock, as that takes long.
base::Expected<SharedRegions::Found, Status> SharedRegions::make(Realm& owner,
                                                                 const MakeRegion& request) {
  RegionBook& book = owner.regions_book();
  RegionBook::Owned* region = book.owned(abi::kNoRegion);
  const Pages pages = pages_of(request.bytes);
  RegionBook::Place* const place = region == nullptr ? nullptr : take_place(book, pages.bits);
  if (place == nullptr) {
    return base::fail(Status::kTooMany);
  }
  const std::size_t number = book.number_of(*place);
  const auto frames = make_frames(owner, pages.bits, pages.count, number);
  const Guard guard(lock_);
  if (!frames) {
    *place = {};
    return base::fail(frames.error());
  }
  *region = {.region = ++made_,
             .bytes = request.bytes,
             .place = number,
             .frames = *frames,
             .name = request.name};
  *place = {
      .state = State::own, .writable = true, .owner = owner.number(), .region = region->region};
  return Found{.region = region->region,
               .place = number,
               .bytes = request.bytes,
               .writable = true,
               .owner = owner.number(),
               .name = request.name};
}

// A window that nobody else takes from here on.
RegionBook::Place* SharedRegions::take_place(RegionBook& book, unsigned page_bits) {
  const Guard guard(lock_);
  RegionBook::Place* const place = book.free_place(page_bits);
  if (place != nullptr) {
    place->state = State::own;
  }
  return place;
}

base::Expected<FrameRun, Status> SharedRegions::make_frames(Realm& owner, unsigned page_bits,
                                                            std::uint64_t count,
                                                            std::size_t place) {
  const std::uint64_t cost = count << page_bits;
  if (!owner.charge(cost)) {
    return base::fail(Status::kOverLimit);
  }
  Memory& memory = owner.memory();
  memory.keep_slots_ready(count + 64);
  auto frames = memory.make_frames(page_bits, count);
  Status status = frames ? owner.map_region(*frames, place) : Status::kOutOfMemory;
  if (status != Status::kOk) {
    if (frames) {
      memory.destroy_frames(*frames);
    }
    owner.discharge(cost);
    return base::fail(status);
  }
  return *frames;
}

Status SharedRegions::share(Realm& owner, const ShareRegion& request) {
  RegionBook& book = owner.regions_book();
  const RegionBook::Owned* region =
      request.region == abi::kNoRegion ? nullptr : book.owned(request.region);
  if (region == nullptr) {
    return Status::kNoSuchRegion;
  }
  const Guard guard(lock_);
  Realm* realm = realms_.below(owner, request.realm);
  if (realm == nullptr) {
    return Status::kNoSuchRealm;
  }
  if (book.share(region->region, request.realm) != nullptr) {
    return Status::kBadState;
  }
  RegionBook::Share* share = book.unused_share();
  RegionBook::Place* place = realm->regions_book().free_place(region->frames.page_bits);
  if (share == nullptr || place == nullptr) {
    return Status::kTooMany;
  }
  *place = {.state = State::held,
            .writable = request.writable,
            .owner = owner.number(),
            .region = region->region};
  share->region = region->region;
  share->realm = request.realm;
  share->place = realm->regions_book().number_of(*place);
  const Status status = map_share(owner, *region, *realm, *share);
  if (status != Status::kOk) {
    drop_share(owner, *share);
    *place = {};
  }
  return status;
}

Status SharedRegions::map_share(Realm& owner, const RegionBook::Owned& region, Realm& realm,
                                RegionBook::Share& share) {
  Memory& memory = owner.memory();
  const FrameRun& frames = region.frames;
  const abi::Address window = abi::region_window(share.place);
  const bool writable = realm.regions_book().places[share.place].writable;
  memory.keep_slots_ready(frames.count + 64);
  if (frames.page_bits == abi::kPageBits) {
    if (!owner.charge(kTableBytes)) {
      return Status::kOverLimit;
    }
    const auto table = memory.make(abi::ObjectType::kPageTable);
    if (!table) {
      owner.discharge(kTableBytes);
      return Status::kOutOfMemory;
    }
    share.table = *table;
    if (abi::page_table_map(table->cap, realm.space(), window) != Error::kNone) {
      return Status::kBadAddress;
    }
  }
  const auto slots = memory.take_slots(frames.count);
  if (!slots) {
    return Status::kOutOfMemory;
  }
  share.copies = *slots;
  share.count = frames.count;
  const abi::CapRights rights = writable ? abi::kReadWrite : abi::kCanRead;
  for (std::uint64_t at = 0; at < frames.count; ++at) {
    if (abi::cnode_copy(memory.address_of(share.copies + at), memory.address_of(frames.first + at),
                        rights) != Error::kNone ||
        abi::page_map(share.copies + at, realm.space(), window + (at << frames.page_bits),
                      rights) != Error::kNone) {
      return Status::kOutOfMemory;
    }
  }
  return Status::kOk;
}

// Deleting the caps takes the pages out of the address space they are in, if that is still there.
void SharedRegions::drop_share(Realm& owner, RegionBook::Share& share) {
  Memory& memory = owner.memory();
  if (share.count != 0) {
    memory.drop_caps(share.copies, share.count);
  }
  if (share.table.cap != 0) {
    memory.destroy(share.table);
    owner.discharge(kTableBytes);
  }
  share = {};
}

void SharedRegions::end_share(Realm& owner, RegionBook::Share& share) {
  if (Realm* realm = realms_.below(owner, share.realm); realm != nullptr) {
    realm->regions_book().places[share.place].state = State::gone;
  }
  drop_share(owner, share);
}

Status SharedRegions::unshare(Realm& owner, const UnshareRegion& request) {
  const Guard guard(lock_);
  RegionBook::Share* share = request.region == abi::kNoRegion
                                 ? nullptr
                                 : owner.regions_book().share(request.region, request.realm);
  if (share == nullptr) {
    return Status::kNoSuchRegion;
  }
  end_share(owner, *share);
  return Status::kOk;
}

Status SharedRegions::release(Realm& owner, const ReleaseRegion& request) {
  RegionBook& book = owner.regions_book();
  RegionBook::Owned* region =
      request.region == abi::kNoRegion ? nullptr : book.owned(request.region);
  if (region == nullptr) {
    return Status::kNoSuchRegion;
  }
  RegionBook::Place& place = book.places[region->place];
  FrameRun frames = region->frames;
  {
    const Guard guard(lock_);
    for (RegionBook::Share& share : book.shares) {
      if (share.region == request.region) {
        end_share(owner, share);
      }
    }
    *region = {};
    place.region = abi::kNoRegion;
  }
  owner.discharge(frames.bytes());
  owner.memory().destroy_frames(frames);
  const Guard guard(lock_);
  place = {};
  return Status::kOk;
}

base::Expected<SharedRegions::Found, Status> SharedRegions::find(Realm& asking,
                                                                 const FindRegion& request) {
  const Guard guard(lock_);
  const RegionBook& book = asking.regions_book();
  const bool by_name = request.region == abi::kNoRegion;
  for (const RegionBook::Place& place : book.places) {
    if (place.state != State::held && (by_name || place.state != State::own)) {
      continue;
    }
    if (!by_name && place.region != request.region) {
      continue;
    }
    // Who owns what a realm holds is above it, so it is there.
    Realm* owner = place.state == State::own ? &asking : realms_.at(place.owner);
    const RegionBook::Owned* region =
        owner == nullptr ? nullptr : owner->regions_book().owned(place.region);
    if (region == nullptr || (by_name && region->name.view() != request.name.view())) {
      continue;
    }
    return Found{.region = region->region,
                 .place = book.number_of(place),
                 .bytes = region->bytes,
                 .writable = place.writable,
                 .owner = place.owner,
                 .name = region->name};
  }
  return base::fail(Status::kNoSuchRegion);
}

std::uint64_t SharedRegions::take_gone(Realm& realm) {
  const Guard guard(lock_);
  std::uint64_t gone = 0;
  for (RegionBook::Place& place : realm.regions_book().places) {
    if (place.state == State::gone) {
      gone |= std::uint64_t{1} << realm.regions_book().number_of(place);
      place = {};
    }
  }
  return gone;
}

void SharedRegions::reclaim(Realm& owner) {
  RegionBook& book = owner.regions_book();
  if (!book.any_stale.load(std::memory_order_relaxed)) {
    return;
  }
  const Guard guard(lock_);
  book.any_stale.store(false, std::memory_order_relaxed);
  for (RegionBook::Share& share : book.shares) {
    if (share.stale) {
      drop_share(owner, share);
    }
  }
}

void SharedRegions::drop_shares_within(std::uint32_t top) {
  realms_.each_within(top, [&](Realm& realm) {
    for (RegionBook::Place& place : realm.regions_book().places) {
      Realm* owner = place.state == State::held ? realms_.at(place.owner) : nullptr;
      if (owner == nullptr) {
        continue;
      }
      if (auto* share = owner->regions_book().share(place.region, realm.number())) {
        share->stale = true;
        owner->regions_book().any_stale.store(true, std::memory_order_relaxed);
      }
    }
  });
}

}  // namespace lona::manager
