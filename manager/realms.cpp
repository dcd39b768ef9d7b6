// SPDX-License-Identifier: BSD-2-Clause
#include "manager/realms.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>

#include "manager/cpu_share.hpp"
#include "manager/guardian.hpp"
#include "manager/realm_home.hpp"

namespace lona::manager {

namespace {

using abi::RealmState;
using abi::Status;

// The manager's address space: so much for each realm. What it knows, the service thread, and a
// window to fill the realm's frames through.
constexpr abi::Word kAreas = 0x40'0000'0000;
constexpr abi::Word kAreaSize = abi::kLargePage;
constexpr abi::Word kThreadOffset = 0x8'0000;
constexpr abi::Word kBookOffset = 0xc'0000;
constexpr abi::Word kWindowOffset = 0x10'0000;
static_assert(kThreadOffset + OwnThread::kAreaSize <= kBookOffset);
static_assert(kWindowOffset + Window::kSize == kAreaSize);

// A realm that floods its endpoint gets no more of the processor through the manager than this.
// In short turns: when its budget ends while it holds a lock, others wait for the next one.
// Who is sure of time is served before those who are not, as the first realm is.
constexpr ThreadShare kChildServiceShare{240, 1'000, 5'000};
constexpr ThreadShare kReservedServiceShare{250, 1'000, 5'000};
constexpr std::uint64_t kSlotsForAChild = 256;
// Of a child's grant: for page tables and capabilities of what it inherits.
constexpr std::uint64_t kMappingReserve = 64 << 10;

abi::Word area_of(std::uint32_t realm) {
  return kAreas + RealmTree::index_of(realm) * kAreaSize;
}

}  // namespace

bool Realms::start(Memory& memory) {
  static_assert(sizeof(Home) <= kThreadOffset);
  static_assert(sizeof(Home) <= 64 << 10);  // twice that would be needed otherwise
  constexpr std::uint32_t kOfOneDirectory = (1 << 30) / kAreaSize;
  for (std::uint32_t at = 0; at < RealmTree::kMax; at += kOfOneDirectory) {
    if (shared_.own.prepare(memory, area_of(at), abi::kLargePageBits) != abi::Error::kNone) {
      return false;
    }
  }
  return true;
}

void Realms::adopt_root(Realm& root) {
  Entry& entry = entries_[RealmTree::kRoot];
  entry.realm = &root;
  entry.state = RealmState::kRunning;
  entry.reserve = kFirstRealmReserve + kReservable;
  entry.stale = true;
  apply_plans(RealmTree::kRoot);
}

base::Expected<Realms::Created, Status> Realms::create(Realm& parent, const CreateRealm& request) {
  base::Expected<std::uint32_t, Status> realm = base::fail(Status::kTooMany);
  {
    const Guard guard(lock_);
    if (request.reserve > reservable(parent.number())) {
      return base::fail(Status::kNoTime);
    }
    realm = tree_.add(parent.number());
    if (!realm) {
      return base::fail(realm.error());
    }
    entry(*realm) = {};
    entry(*realm).asked_share = request.share;
    entry(*realm).reserve = request.reserve;
    entry(*realm).plan.beyond = request.share;  // as its worker is made
    entry(*realm).faults = RateLimit(request.faults);
  }
  Entry& made = entry(*realm);
  Status status = build(parent, *realm, request);
  {
    const Guard guard(lock_);
    if (status != Status::kOk) {
      tree_.remove(*realm);
      return base::fail(status);
    }
    made.realm = &made.home->realm;
    divide_time(parent.number());
  }
  apply_plans(parent.number());
  return Created{*realm, made.number};
}

Status Realms::build(Realm& parent, std::uint32_t realm, const CreateRealm& request) {
  const auto bits = static_cast<unsigned>(std::bit_width(request.memory - 1));
  Entry& made = entry(realm);
  made.granted = made.set_aside = std::uint64_t{1} << bits;
  made.most = std::max(made.granted, request.memory_max);
  const auto number = parent.take_child_number();
  if (!number) {
    return number.error();
  }
  made.number = *number;
  constexpr std::uint64_t kHomePages = std::bit_ceil((sizeof(Home) + 4095) / abi::kSmallPage);
  made.cost = Memory::grant_cost(bits) + (kHomePages + 1) * abi::kSmallPage;
  if (!parent.charge(made.cost)) {
    parent.give_child_number(made.number);
    made.cost = 0;
    return Status::kOverLimit;
  }
  parent.memory().keep_slots_ready(kSlotsForAChild);
  const auto steps = [&]() -> Status {
    const auto frames = parent.memory().make_frames(abi::kPageBits, kHomePages);
    if (!frames) {
      return Status::kOutOfMemory;
    }
    made.frames = *frames;
    if (const Status status = make_home(parent, realm); status != Status::kOk) {
      return status;
    }
    Home& home = *made.home;
    if (!home.memory.start_grant(parent.memory(), bits)) {
      return Status::kOutOfMemory;
    }
    Window window(home.memory, shared_.own, area_of(realm) + kWindowOffset);
    const RealmConfig config{.name = request.name(),
                             .realm = realm,
                             .parent = &parent,
                             .depth = tree_.depth(realm),
                             .worker = thread_share(kRealmPriority, request.share),
                             .memory_reserve = kMappingReserve,
                             .memory_more = made.most - made.granted,
                             .archive = {},
                             .console = {},
                             .parent_signal = parent.notification()};
    if (!home.realm.build(window, shared_.parts, config)) {
      return Status::kOutOfMemory;
    }
    const auto stop =
        home.memory.badge_cap(home.realm.endpoint(), abi::kAllRights, Realm::kStopBadge);
    const auto ended =
        home.memory.badge_cap(parent.notification(), abi::kCanWrite, abi::kSignalRealm);
    const auto memory =
        home.memory.badge_cap(home.realm.notification(), abi::kCanWrite, abi::kSignalMemory);
    if (!stop || !ended || !memory ||
        !parent.add_child_signal(made.number, home.realm.notification())) {
      return Status::kOutOfMemory;
    }
    home.stop = *stop;
    home.ended_signal = *ended;
    home.memory_signal = *memory;
    if (const Status status = parent.map_channel(made.number, home.realm.channel(), made.channel);
        status != Status::kOk) {
      return status;
    }
    const auto handler = shared_.guardian.handler(home.memory, Guardian::service_of(realm));
    if (!handler ||
        !home.thread.start(home.memory, shared_.own, shared_.parts.sched_control,
                           area_of(realm) + kThreadOffset,
                           request.reserve == 0 ? kChildServiceShare : kReservedServiceShare,
                           Service::run, &home.service, *handler)) {
      return Status::kOutOfMemory;
    }
    home.memory.drop_cap(*handler);
    home.serving = true;
    shared_.timer.join(RealmTree::index_of(realm), home.realm.deadline_signal());
    return Status::kOk;
  };
  const Status status = steps();
  if (status != Status::kOk) {
    destroy(parent, made);
  }
  return status;
}

// Maps what the manager is to know of the realm, in frames that the parent pays for.
Status Realms::make_home(Realm& parent, std::uint32_t realm) {
  Entry& made = entry(realm);
  const abi::Word area = area_of(realm);
  const auto table = parent.memory().make(abi::ObjectType::kPageTable);
  if (!table) {
    return Status::kOutOfMemory;
  }
  made.table = *table;
  if (abi::page_table_map(table->cap, shared_.own.cap(), area) != abi::Error::kNone) {
    return Status::kOutOfMemory;
  }
  for (std::uint64_t at = 0; at < made.frames.count; ++at) {
    if (abi::page_map(made.frames.first + at, shared_.own.cap(), area + at * abi::kSmallPage,
                      abi::kReadWrite) != abi::Error::kNone) {
      return Status::kOutOfMemory;
    }
  }
  made.home = new (reinterpret_cast<void*>(area))
      Home(shared_, parent.memory().cspace(), RealmTree::index_of(realm));
  return Status::kOk;
}

Status Realms::run(const Realm& parent, std::uint32_t child) {
  const Guard guard(lock_);
  if (!is_child(parent, child)) {
    return Status::kNoSuchRealm;
  }
  Entry& found = entry(child);
  if (found.state != RealmState::kDormant && found.state != RealmState::kSuspended) {
    return Status::kBadState;
  }
  found.state = RealmState::kRunning;
  return found.realm->run() ? Status::kOk : Status::kBadState;
}

Status Realms::suspend(const Realm& parent, std::uint32_t child) {
  const Guard guard(lock_);
  if (!is_child(parent, child)) {
    return Status::kNoSuchRealm;
  }
  Entry& found = entry(child);
  if (found.state != RealmState::kRunning) {
    return Status::kBadState;
  }
  found.state = RealmState::kSuspended;
  found.realm->suspend();
  return Status::kOk;
}

abi::Address Realms::book_address(std::uint32_t realm) {
  return area_of(realm) + kBookOffset;
}

Realm* Realms::at(std::uint32_t realm) {
  const Guard guard(lock_);
  return tree_.valid(realm) ? entry(realm).realm : nullptr;
}

Realm* Realms::below(const Realm& above, std::uint32_t realm) {
  const Guard guard(lock_);
  return realm != above.number() && tree_.within(above.number(), realm) ? entry(realm).realm
                                                                        : nullptr;
}

Realm* Realms::above(const Realm& realm) {
  const Guard guard(lock_);
  const std::uint32_t parent = tree_.parent(realm.number());
  return parent == abi::kNoRealm ? nullptr : entry(parent).realm;
}

bool Realms::inside(std::uint32_t above, std::uint32_t realm) {
  const Guard guard(lock_);
  return tree_.within(above, realm);
}

Realm* Realms::child(const Realm& parent, std::uint32_t realm) {
  const Guard guard(lock_);
  return is_child(parent, realm) ? entry(realm).realm : nullptr;
}

base::Expected<RealmFigures, Status> Realms::info(const Realm& asking, std::uint32_t realm) {
  const Guard guard(lock_);
  if (!tree_.within(asking.number(), realm) || entry(realm).realm == nullptr) {
    return base::fail(Status::kNoSuchRealm);
  }
  Entry& found = entry(realm);
  RealmFigures figures{
      .parent = tree_.parent(realm),
      .state = found.state,
      .memory_limit = found.realm->memory_limit(),
      .memory_reserve = found.set_aside,
      .memory_used = found.realm->mapped(),
      .share = found.share,
      .reserve = found.reserve,
      .time_us = found.realm->time_used(),
      .children = tree_.children(realm),
      .faults = found.faults.total(),
      .memory_granted = found.home == nullptr ? found.realm->memory().total_bytes() : found.cost,
      .memory_free = found.realm->memory().free_bytes(),
      .name_length = found.realm->name().size(),
      .name = {}};
  std::memcpy(figures.name, found.realm->name().data(), figures.name_length);
  return figures;
}

base::Expected<std::size_t, Status> Realms::children(const Realm& asking, std::uint32_t realm,
                                                     std::uint64_t skip,
                                                     std::span<std::uint64_t> numbers) {
  const Guard guard(lock_);
  if (!tree_.within(asking.number(), realm)) {
    return base::fail(Status::kNoSuchRealm);
  }
  std::size_t count = 0;
  for (std::uint32_t child = tree_.first_child(realm);
       child != abi::kNoRealm && count < numbers.size(); child = tree_.next_sibling(child)) {
    if (skip > 0) {
      --skip;
    } else {
      numbers[count++] = child;
    }
  }
  return count;
}

bool Realms::admit_fault(const Realm& realm) {
  const Guard guard(lock_);
  return entry(realm.number()).faults.admit(now_tick(), shared_.parts.tsc_hertz);
}

bool Realms::admit_inheriting(const Realm& realm) {
  const Guard guard(lock_);
  return entry(realm.number()).inheriting.admit(now_tick(), shared_.parts.tsc_hertz);
}

bool Realms::admit_binary(const Realm& realm) {
  const Guard guard(lock_);
  return entry(realm.number()).binaries.admit(now_tick(), shared_.parts.tsc_hertz);
}

bool Realms::admit_line(const Realm& realm) {
  const Guard guard(lock_);
  return realm.number() == RealmTree::kRoot ||
         entry(realm.number()).lines.admit(now_tick(), shared_.parts.tsc_hertz);
}

}  // namespace lona::manager
