// SPDX-License-Identifier: BSD-2-Clause
#include "manager/realms.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>

#include "manager/cpu_share.hpp"
#include "manager/guardian.hpp"
#include "manager/service.hpp"

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
constexpr std::uint64_t kPressingMs = 8;  // that a realm without memory waits for its children's
// Of a child's grant: for page tables and capabilities of what it inherits.
constexpr std::uint64_t kMappingReserve = 64 << 10;

abi::Word area_of(std::uint32_t realm) {
  return kAreas + RealmTree::index_of(realm) * kAreaSize;
}

}  // namespace

struct Realms::Home {
  static constexpr std::size_t kSlotPages = 6;
  static constexpr std::size_t kBlocks = 768;
  static constexpr std::size_t kGrants = 192;
  static constexpr std::size_t kLevelGrants = 96;
  static constexpr std::size_t kPageTables = 96;
  static constexpr std::size_t kCopies = VmImage::kMaxShared;

  Home(Shared& shared, CSpace& cspace, std::uint32_t index)
      : memory(cspace, {slot_pages, blocks}),
        realm(memory, {page_tables, grants, level_grants, copies, objects}),
        service{shared, realm, index} {}

  std::array<SlotAllocator::Page, kSlotPages> slot_pages{};
  std::array<UntypedAllocator::Block, kBlocks> blocks{};
  GrantSpace<kGrants> grants;
  GrantSpace<kLevelGrants> level_grants;
  std::array<KernelObject, kPageTables> page_tables{};
  std::array<abi::CPtr, kCopies> copies{};
  std::array<BlockId, 1 << abi::object_bits(abi::kChildCSpaceBits)> objects{};
  Memory memory;
  Realm realm;
  OwnThread thread;
  Service service;
  abi::CPtr stop = 0;           // calls the service thread to stop
  abi::CPtr ended_signal = 0;   // tells the parent
  abi::CPtr memory_signal = 0;  // tells the realm that the parent has none left
  bool serving = false;
  std::size_t text_length = 0;
  char text[abi::kEndTextMax];
};

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

// A thread waits for the memory of a realm above its own only, and not when it is to stop, so none
// waits for ever.
bool Realms::claim_above(const Realm& realm) {
  Memory& memory = entry(tree_.parent(realm.number())).realm->memory();
  while (!memory.try_claim()) {
    if (std::atomic_ref(entry(realm.number()).stopping).load()) {
      return false;
    }
    abi::yield();
  }
  return true;
}

bool Realms::grow(Realm& realm) {
  Entry& grown = entry(realm.number());
  if (grown.home == nullptr || grown.granted >= grown.most) {
    return false;
  }
  if (!claim_above(realm)) {
    return false;
  }
  Realm& parent = *entry(tree_.parent(realm.number())).realm;
  bool good = take_piece(parent, grown);
  while (!good && (shared_.binaries.spare(parent) || grow(parent))) {
    good = take_piece(parent, grown);
  }
  parent.memory().release();
  return good;
}

// As much as it has already, or what can be had. Exactly that much is charged to the parent.
bool Realms::take_piece(Realm& parent, Entry& grown) {
  const std::uint64_t wanted = std::min(grown.granted, grown.most - grown.granted);
  for (int bits = std::bit_width(wanted) - 1; bits >= kLeastPieceBits; --bits) {
    const std::uint64_t bytes = std::uint64_t{1} << bits;
    if (!parent.charge(bytes)) {
      continue;
    }
    if (grown.home->memory.add_to_grant(parent.memory(), static_cast<unsigned>(bits))) {
      grown.granted += bytes;
      grown.cost += bytes;
      return true;
    }
    parent.discharge(bytes);
  }
  return false;
}

void Realms::shrink(Realm& realm) {
  Entry& shrunk = entry(realm.number());
  if (shrunk.home == nullptr || shrunk.granted == shrunk.set_aside) {
    return;
  }
  Realm& parent = *entry(tree_.parent(realm.number())).realm;
  if (!parent.memory().try_claim()) {
    return;
  }
  const std::uint64_t stays = kSpareBytes + realm.asked_ahead();
  while (const std::uint64_t bytes = realm.memory().take_from_grant(parent.memory(), stays)) {
    parent.discharge(bytes);
    shrunk.granted -= bytes;
    shrunk.cost -= bytes;
  }
  shrink(parent);
  parent.memory().release();
}

bool Realms::press(Realm& realm) {
  const std::uint64_t start = now_tick();
  {
    const Guard guard(lock_);
    bool any = false;
    for (std::uint32_t child = tree_.first_child(realm.number()); child != abi::kNoRealm;
         child = tree_.next_sibling(child)) {
      const Entry& asked = entry(child);
      any = any || (asked.realm != nullptr && asked.granted > asked.set_aside);
    }
    if (!any || !entry(realm.number()).pressing.admit(start, shared_.parts.tsc_hertz)) {
      return false;
    }
    for (std::uint32_t child = tree_.first_child(realm.number()); child != abi::kNoRealm;
         child = tree_.next_sibling(child)) {
      if (entry(child).realm != nullptr) {
        abi::signal(entry(child).home->memory_signal);
      }
    }
  }
  Memory& memory = realm.memory();
  const std::uint64_t before = memory.free_bytes();
  const std::uint64_t end = start + shared_.parts.tsc_hertz / 1000 * kPressingMs;
  while (memory.free_bytes() == before && now_tick() < end) {
    memory.release();
    abi::yield();  // the rest of this period's budget: others run
    memory.claim();
  }
  return memory.free_bytes() > before;
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

// All that was made for it, or as much as was made. Nothing of it runs.
void Realms::destroy(Realm& parent, Entry& gone) {
  Memory& memory = parent.memory();
  if (gone.home != nullptr) {
    gone.home->memory.end_grant(memory);
    parent.drop_child_signal(gone.number);
    for (const abi::CPtr copy : gone.channel) {
      memory.drop_cap(copy);
    }
    gone.home = nullptr;
  }
  memory.destroy_frames(gone.frames);
  memory.destroy(gone.table);
  parent.discharge(gone.cost);
  parent.give_child_number(gone.number);
  gone = {};
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

Status Realms::terminate(Realm& parent, std::uint32_t child) {
  {
    const Guard guard(lock_);
    if (!is_child(parent, child)) {
      return Status::kNoSuchRealm;
    }
  }
  stop_subtree(child);
  shared_.peers.leave(parent, child);
  shared_.regions.leave(child, [&] {
    shared_.capabilities.leave([&] {
      // From here on nobody looks into their homes.
      const Guard guard(lock_);
      tree_.each_within(child, [&](std::uint32_t realm) { entry(realm).realm = nullptr; });
    });
  });
  {
    const Guard plans(plans_lock_);
  }  // and nobody gives them time
  shared_.regions.reclaim(parent);
  tree_.each_within(child, [&](std::uint32_t realm) {
    shared_.timer.leave(RealmTree::index_of(realm));
    if (entry(realm).planned) {
      shared_.reserves.leave(RealmTree::index_of(realm));
    }
  });
  destroy(parent, entry(child));
  shared_.binaries.leave(parent, child);
  {
    const Guard guard(lock_);
    tree_.remove(child);
    divide_time(parent.number());
  }
  apply_plans(parent.number());
  return Status::kOk;
}

// Parents before their children: who has stopped makes no more of them.
void Realms::stop_subtree(std::uint32_t top) {
  std::uint32_t realm = top;
  while (true) {
    Home* const home = entry(realm).home;
    std::atomic_ref(entry(realm).stopping).store(true);
    if (home != nullptr) {  // its parent's service thread may have been buried while making it
      home->realm.halt();
      if (home->serving) {
        (void)abi::call(home->stop, abi::MessageInfo(0, 0, 0, 0));
        home->serving = false;
        home->realm.suspend();  // a helper may just have been started
      }
    }
    const Guard guard(lock_);
    if (tree_.first_child(realm) != abi::kNoRealm) {
      realm = tree_.first_child(realm);
      continue;
    }
    while (realm != top && tree_.next_sibling(realm) == abi::kNoRealm) {
      realm = tree_.parent(realm);
    }
    if (realm == top) {
      return;
    }
    realm = tree_.next_sibling(realm);
  }
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

std::uint32_t Realms::next_ended(const Realm& asking, EndOfRealm& end) {
  const Guard guard(lock_);
  for (std::uint32_t child = tree_.first_child(asking.number()); child != abi::kNoRealm;
       child = tree_.next_sibling(child)) {
    Entry& found = entry(child);
    if (found.state != RealmState::kTerminated || found.told || found.realm == nullptr) {
      continue;
    }
    found.told = true;
    end.status = found.status;
    end.text_length = found.home->text_length;
    std::memcpy(end.text, found.home->text, end.text_length);
    return child;
  }
  return abi::kNoRealm;
}

void Realms::ended(const Realm& realm, std::uint64_t status, std::string_view text) {
  const Guard guard(lock_);
  end(entry(realm.number()), status, text);
}

void Realms::rest(const Realm& realm) {
  while (true) {
    (void)abi::tcb_suspend(entry(realm.number()).home->thread.tcb());
  }
}

void Realms::end(Entry& found, std::uint64_t status, std::string_view text) {
  found.state = RealmState::kTerminated;
  found.status = status;
  if (found.home == nullptr) {
    return;
  }
  Home& home = *found.home;
  home.text_length = std::min<std::size_t>(text.size(), abi::kEndTextMax);
  std::memcpy(home.text, text.data(), home.text_length);
  abi::signal(home.ended_signal);
}

// What its thread may have left half done is its own realm's alone.
bool Realms::can_bury(std::uint32_t realm) {
  if (realm == RealmTree::kRoot || !tree_.valid(realm)) {
    return false;
  }
  const Entry& found = entry(realm);
  if (found.realm == nullptr || found.buried) {
    return false;
  }
  const abi::Word thread = found.home->thread.area();
  const Lock* const locks[] = {&lock_,
                               &plans_lock_,
                               &shared_.log.lock(),
                               &shared_.timer.lock(),
                               &shared_.regions.lock(),
                               &shared_.binaries.lock(),
                               &shared_.capabilities.lock(),
                               &found.home->memory.cspace().lock()};
  if (std::ranges::any_of(locks, [&](const Lock* lock) { return lock->held_by(thread); })) {
    return false;
  }
  for (std::uint32_t above = realm; above != RealmTree::kRoot;) {
    above = tree_.parent(above);
    if (entry(above).realm->memory().claimed_by(thread)) {
      return false;
    }
  }
  return true;
}

// Looks before it takes the lock, which the thread may have.
bool Realms::bury(std::uint32_t realm, std::string_view text) {
  if (!can_bury(realm)) {
    return false;
  }
  const Guard guard(lock_);
  Entry& found = entry(realm);
  found.buried = true;
  tree_.each_within(realm, [&](std::uint32_t below) {
    if (entry(below).realm != nullptr) {
      entry(below).realm->suspend();
    }
  });
  if (found.state != RealmState::kTerminated) {
    end(found, abi::kEndedByFault, text);
  }
  return found.home->thread.restart(Service::stay, &found.home->service) == abi::Error::kNone;
}

// Without the lock: nothing else of the manager runs beside the guardian, and nothing will.
void Realms::suspend_all() {
  for (const Entry& there : entries_) {
    if (there.realm != nullptr) {
      there.realm->suspend();
    }
  }
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

FamilyTime Realms::family_time(std::uint32_t realm) {
  const Entry& top = entry(realm);
  FamilyTime family{.share = top.share,
                    .reserve = top.reserve,
                    .reserved_for_others = 0,
                    .children = tree_.children(realm)};
  for (std::uint32_t child = tree_.first_child(realm); child != abi::kNoRealm;
       child = tree_.next_sibling(child)) {
    family.reserved_for_others += entry(child).reserve;
  }
  return family;
}

// What a realm may still promise to children. The first one keeps a part for itself.
std::uint64_t Realms::reservable(std::uint32_t realm) {
  const CpuPlan own = own_plan(family_time(realm));
  return realm == RealmTree::kRoot ? own.reserve - kFirstRealmReserve : own.reserve;
}

// What its threads are to have now; nothing when they have that.
std::optional<Reserves::Plan> Realms::next_plan(Entry& found) {
  const std::uint32_t realm = found.realm->number();
  CpuPlan plan = own_plan(family_time(realm));
  if (realm == RealmTree::kRoot) {
    plan.reserve = kFirstRealmReserve;
  }
  const std::size_t helpers = found.realm->helper_count();
  if (plan == found.plan && helpers == found.helpers) {
    return std::nullopt;
  }
  found.plan = plan;
  found.helpers = helpers;
  found.planned = true;
  return Reserves::Plan{.index = RealmTree::index_of(realm),
                        .tcb = found.realm->tcb(),
                        .sched_context = found.realm->sched_context(),
                        .used_us = &found.realm->time_counter(),
                        .time = plan,
                        .helpers = helpers};
}

void Realms::count_helpers(const Realm& realm) {
  {
    const Guard guard(lock_);
    entry(realm.number()).stale = true;
  }
  apply_plans(realm.number());
}

// Whoever stops the realm does so under the lock, or once more when its service thread has stopped.
void Realms::resume_helper(const Realm& realm, std::size_t number) {
  const Guard guard(lock_);
  if (entry(realm.number()).state == RealmState::kRunning) {
    realm.resume_helper(number);
  }
}

// A realm shares its time with its children, and they with theirs. Works out who has which part.
void Realms::divide_time(std::uint32_t top) {
  const FamilyTime family = family_time(top);
  entry(top).stale = true;
  for (std::uint32_t child = tree_.first_child(top); child != abi::kNoRealm;
       child = tree_.next_sibling(child)) {
    Entry& found = entry(child);
    const std::uint64_t share = share_of_child(family, found.asked_share, found.reserve);
    if (found.realm == nullptr || (share == found.share && found.divided)) {
      continue;
    }
    found.share = share;
    found.divided = true;
    divide_time(child);
  }
}

// What was worked out comes into effect, of one realm after the other: there may be hundreds, and
// others want the lock. Nobody who holds `plans_lock_` finds the realm gone meanwhile.
void Realms::apply_plans(std::uint32_t top) {
  for (Entry& found : entries_) {
    if (!std::atomic_ref(found.stale).load(std::memory_order_relaxed)) {
      continue;
    }
    const Guard plans(plans_lock_);
    Realm* realm = nullptr;
    std::optional<Reserves::Plan> plan;
    {
      const Guard guard(lock_);
      if (found.stale && found.realm != nullptr && tree_.within(top, found.realm->number())) {
        found.stale = false;
        realm = found.realm;
        plan = next_plan(found);
      }
    }
    if (plan) {
      // The first realm is trusted, and drives devices.
      realm->give_helpers_time(shared_.parts, realm->number() == RealmTree::kRoot
                                                  ? thread_share(kHelperPriority, abi::kNoShare)
                                                  : helper_thread_share(plan->time));
      shared_.reserves.apply(*plan);
    }
  }
}

}  // namespace lona::manager
