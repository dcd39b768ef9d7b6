// SPDX-License-Identifier: BSD-2-Clause
#include "manager/sent_capabilities.hpp"

#include <new>

#include "manager/realms.hpp"

namespace lona::manager {

namespace {

using abi::Status;
using Book = CapabilityBook;

// In frames of the realm's own, so that only those pay for it that have objects.
struct OwnBook {
  std::array<Book::Original, 1 << abi::object_bits(abi::kChildCSpaceBits)> originals{};
  Book book{originals};
};
constexpr std::uint64_t kBookPages = std::bit_ceil((sizeof(OwnBook) + 4095) / abi::kSmallPage);
static_assert(kBookPages == 4);

constexpr bool can_be_sent(abi::ObjectType type) {
  return type == abi::ObjectType::kEndpoint || type == abi::ObjectType::kNotification;
}

}  // namespace

Status SentCapabilities::open_book(Realm& realm) {
  if (realm.capabilities() != nullptr) {
    return Status::kOk;
  }
  constexpr std::uint64_t kCost = kBookPages * abi::kSmallPage;
  if (!realm.charge(kCost)) {
    return Status::kOverLimit;
  }
  Memory& memory = realm.memory();
  memory.keep_slots_ready(kBookPages + 64);
  auto frames = memory.make_frames(abi::kPageBits, kBookPages);
  const abi::Address address = Realms::book_address(realm.number());
  bool mapped = frames.has_value();
  for (std::uint64_t at = 0; mapped && at < kBookPages; ++at) {
    mapped = abi::page_map(frames->first + at, own_.cap(), address + at * abi::kSmallPage,
                           abi::kReadWrite) == abi::Error::kNone;
  }
  if (!mapped) {
    if (frames) {
      memory.destroy_frames(*frames);
    }
    realm.discharge(kCost);
    return Status::kOutOfMemory;
  }
  Book& book = (new (reinterpret_cast<void*>(address)) OwnBook)->book;
  const Guard guard(lock_);
  realm.use(book);
  return Status::kOk;
}

Book* SentCapabilities::book_of(std::uint32_t realm, Realm*& found) {
  found = realms_.at(realm);
  return found == nullptr ? nullptr : found->capabilities();
}

Book::Original* SentCapabilities::find(const Book::Object& object, Realm*& owner) {
  Book* const book = book_of(object.realm, owner);
  return book == nullptr ? nullptr : book->original(object);
}

Status SentCapabilities::make_object(Realm& realm, const AsidPools& asids,
                                     const MakeObject& request) {
  // Only this thread changes what the realm has taken.
  if (Book* const book = realm.capabilities();
      book != nullptr && book->taken(request.slot) != nullptr) {
    return Status::kBadState;
  }
  if (!can_be_sent(request.type)) {
    return realm.make_object(asids, request, nullptr);
  }
  if (const Status opened = open_book(realm); opened != Status::kOk) {
    return opened;
  }
  abi::CPtr original = 0;
  const Status made = realm.make_object(asids, request, &original);
  if (made == Status::kOk) {
    const Guard guard(lock_);
    realm.capabilities()->keep(request.slot, original, request.type);
  }
  return made;
}

bool SentCapabilities::give_back(Book& book, std::uint64_t slot) {
  const Guard guard(lock_);
  Book::Taken* const taken = book.taken(slot);
  if (taken != nullptr) {
    *taken = {};
  }
  return taken != nullptr;
}

Status SentCapabilities::free_object(Realm& realm, std::uint64_t slot) {
  abi::CPtr original = 0;
  if (Book* const book = realm.capabilities(); book != nullptr) {
    if (give_back(*book, slot)) {
      // Without the lock: what is there now, after the realm has moved it there, may take long.
      realm.empty_slot(slot);
      return Status::kOk;
    }
    const Guard guard(lock_);
    if (Book::Original* const found = book->original(slot); found != nullptr) {
      // From here on nobody mints from it; what was minted ends with the object.
      original = found->cap;
      found->cap = 0;
    }
  }
  return realm.free_object(slot, original);
}

base::Expected<Book::Right, Status> SentCapabilities::right_of(Realm& realm,
                                                               const OfferCapability& request) {
  Book& book = *realm.capabilities();
  const auto slot = static_cast<std::uint32_t>(request.slot);
  if (const Book::Original* const own = book.original(slot); own != nullptr) {
    return Book::Right{.object = {realm.number(), slot, own->serial},
                       .rights = request.rights,
                       .badge = request.badge};
  }
  const Book::Taken* const taken = book.taken(slot);
  if (taken == nullptr) {
    return base::fail(Status::kBadState);
  }
  const Book::Right& held = taken->right;
  const bool other_badge = held.badge != 0 && request.badge != 0 && request.badge != held.badge;
  if ((request.rights & ~held.rights) != 0 || other_badge) {
    return base::fail(Status::kNotAllowed);
  }
  return Book::Right{.object = held.object,
                     .rights = request.rights,
                     .badge = held.badge != 0 ? held.badge : request.badge};
}

// What was offered to a realm that is gone, or is gone itself, makes room.
Book::Offer* SentCapabilities::place_for_offer(Book& book, std::uint32_t to) {
  Book::Offer* place = nullptr;
  std::size_t to_that_one = 0;
  for (Book::Offer& offer : book.offers) {
    Realm* realm = nullptr;
    if (offer.number == 0 || realms_.at(offer.to) == nullptr ||
        find(offer.right.object, realm) == nullptr) {
      offer = {};
      place = &offer;
    } else if (offer.to == to) {
      ++to_that_one;
    }
  }
  return to_that_one < abi::kOffersToOne ? place : nullptr;
}

base::Expected<std::uint64_t, Status> SentCapabilities::offer(Realm& realm,
                                                              const OfferCapability& request) {
  Book* const book = realm.capabilities();
  if (book == nullptr) {
    return base::fail(Status::kBadState);
  }
  const Guard guard(lock_);
  const Book::Right right = TRY(right_of(realm, request));
  for (const Book::Offer& offer : book->offers) {
    if (offer.number != 0 && offer.to == request.realm && offer.right == right) {
      return offer.number;
    }
  }
  Book::Offer* const place = place_for_offer(*book, request.realm);
  if (place == nullptr) {
    return base::fail(Status::kTooMany);
  }
  *place = {.number = ++book->offered, .to = request.realm, .right = right};
  return place->number;
}

Book::Taken* SentCapabilities::place_for_taken(Book& book, std::uint32_t from) {
  Book::Taken* place = nullptr;
  std::size_t from_that_one = 0;
  for (Book::Taken& taken : book.all_taken()) {
    if (taken.from == abi::kNoRealm) {
      place = &taken;
    } else if (taken.from == from) {
      ++from_that_one;
    }
  }
  return from_that_one < abi::kTakenOfOne ? place : nullptr;
}

base::Expected<abi::ObjectType, Status> SentCapabilities::take(Realm& realm,
                                                               const TakeCapability& request) {
  if (const Status opened = open_book(realm); opened != Status::kOk) {
    return base::fail(opened);
  }
  if (const Status ready = realm.prepare_objects(); ready != Status::kOk) {
    return base::fail(ready);
  }
  Book& book = *realm.capabilities();
  const Guard guard(lock_);
  if (!realm.slot_is_free(request.slot) || book.taken(request.slot) != nullptr) {
    return base::fail(Status::kBadState);
  }
  Realm* owner = nullptr;
  Book* const offering = book_of(request.realm, owner);
  const Book::Offer* const offer = offering == nullptr ? nullptr : offering->offer(request.number);
  const bool mine = offer != nullptr && offer->to == realm.number() &&
                    (request.rights & ~offer->right.rights) == 0;
  const Book::Original* const original = mine ? find(offer->right.object, owner) : nullptr;
  // One answer, so that nobody finds out what others offer.
  if (original == nullptr) {
    return base::fail(Status::kNotAllowed);
  }
  Book::Taken* const place = place_for_taken(book, request.realm);
  if (place == nullptr) {
    return base::fail(Status::kTooMany);
  }
  if (const Status filled = realm.fill_slot(request.slot, owner->memory().address_of(original->cap),
                                            abi::CapRights(request.rights), offer->right.badge);
      filled != Status::kOk) {
    return base::fail(filled);
  }
  *place = {
      .from = request.realm,
      .slot = static_cast<std::uint32_t>(request.slot),
      .right = {
          .object = offer->right.object, .rights = request.rights, .badge = offer->right.badge}};
  return static_cast<abi::ObjectType>(original->type);
}

std::size_t SentCapabilities::take_lost(Realm& realm, std::span<std::uint64_t> slots) {
  Book* const book = realm.capabilities();
  if (book == nullptr) {
    return 0;
  }
  const Guard guard(lock_);
  std::size_t count = 0;
  for (Book::Taken& taken : book->all_taken()) {
    Realm* owner = nullptr;
    if (count < slots.size() && taken.from != abi::kNoRealm &&
        find(taken.right.object, owner) == nullptr) {
      slots[count++] = taken.slot;
      taken = {};
    }
  }
  return count;
}

}  // namespace lona::manager
