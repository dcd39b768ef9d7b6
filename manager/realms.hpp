// SPDX-License-Identifier: BSD-2-Clause
// All realms: how a realm makes children, asks about those below it, and takes them down.
//
// A child costs its parent one grant and a few pages for what the manager knows of it; a service
// thread of its own, made of its grant, serves it. Each operation runs on the service thread of
// the realm that asked, so a realm waits only for itself. `lock_` guards the tree and the table,
// and is held for short looks only, never while the kernel makes or destroys something.
//
// To take a subtree down, each realm's worker is stopped from the top on, then its service thread
// is asked to finish what it is at and to wait for ever; after that nothing moves in the subtree,
// and the topmost grant is revoked.
#pragma once

#include <optional>

#include "manager/log.hpp"
#include "manager/peer_channels.hpp"
#include "manager/rate_limit.hpp"
#include "manager/realm.hpp"
#include "manager/realm_tree.hpp"
#include "manager/request.hpp"
#include "manager/reserves.hpp"
#include "manager/sent_capabilities.hpp"
#include "manager/shared_binaries.hpp"
#include "manager/shared_regions.hpp"
#include "manager/timer.hpp"

namespace lona::manager {

class Realms;

// What all service threads share.
struct Shared {
  Log& log;
  Timer& timer;
  const RealmParts& parts;
  AddressSpace& own;
  Realms& realms;
  SharedRegions& regions;
  SharedBinaries& binaries;
  PeerChannels& peers;
  SentCapabilities& capabilities;
  Reserves& reserves;
  class Guardian& guardian;
};

struct EndOfRealm {
  std::uint64_t status = 0;
  std::size_t text_length = 0;
  char text[abi::kEndTextMax];
};

struct RealmFigures {
  std::uint32_t parent = abi::kNoRealm;
  abi::RealmState state = abi::RealmState::kDormant;
  std::uint64_t memory_limit = 0;
  std::uint64_t memory_reserve = 0;
  std::uint64_t memory_used = 0;
  std::uint64_t share = abi::kNoShare;
  std::uint64_t reserve = 0;
  std::uint64_t time_us = 0;
  std::uint64_t children = 0;
  std::uint64_t faults = 0;
  std::uint64_t memory_granted = 0;  // what it has cost its parent; of the first one, the machine's
  std::uint64_t memory_free = 0;     // bytes of it that nothing is in
  std::size_t name_length = 0;
  char name[abi::kRealmNameMax];
};

class Realms {
 public:
  explicit Realms(Shared& shared) : shared_(shared) {}
  void use(abi::CPtr lock, abi::CPtr plans_lock) {
    lock_.use(lock);
    plans_lock_.use(plans_lock);
  }
  // Page tables for what the manager keeps of children; before the first realm.
  [[nodiscard]] bool start(Memory& memory);
  void adopt_root(Realm& root);

  struct Created {
    std::uint32_t realm;
    std::uint64_t number;
  };
  [[nodiscard]] base::Expected<Created, abi::Status> create(Realm& parent,
                                                            const CreateRealm& request);
  [[nodiscard]] abi::Status run(const Realm& parent, std::uint32_t child);
  [[nodiscard]] abi::Status suspend(const Realm& parent, std::uint32_t child);
  [[nodiscard]] abi::Status terminate(Realm& parent, std::uint32_t child);

  [[nodiscard]] base::Expected<RealmFigures, abi::Status> info(const Realm& asking,
                                                               std::uint32_t realm);
  // How many, from `skip` on.
  [[nodiscard]] base::Expected<std::size_t, abi::Status> children(const Realm& asking,
                                                                  std::uint32_t realm,
                                                                  std::uint64_t skip,
                                                                  std::span<std::uint64_t> numbers);
  // kNoRealm: none.
  [[nodiscard]] std::uint32_t next_ended(const Realm& asking, EndOfRealm& end);

  // In the manager's address space, in the part of that realm: not of the first one.
  [[nodiscard]] static abi::Address book_address(std::uint32_t realm);

  // A realm that is there, for what SharedRegions and SentCapabilities do under their own locks;
  // null: there is none.
  [[nodiscard]] Realm* at(std::uint32_t realm);
  // Likewise, when it is below `above`.
  [[nodiscard]] Realm* below(const Realm& above, std::uint32_t realm);
  // Likewise, when it is a child of that one.
  [[nodiscard]] Realm* child(const Realm& parent, std::uint32_t realm);
  // The parent, null for the first realm; and is that realm there, `above` itself or below it?
  [[nodiscard]] Realm* above(const Realm& realm);
  [[nodiscard]] bool inside(std::uint32_t above, std::uint32_t realm);
  // The realm and all below it.
  template <typename F>
  void each_within(std::uint32_t top, F&& f) {
    tree_.each_within(top, [&](std::uint32_t realm) {
      if (Realm* found = at(realm); found != nullptr) {
        f(*found);
      }
    });
  }

  // By the realm's own service thread, which has claimed its memory: a further piece of the
  // parent's memory, when the realm may have more. False: not so, or there is none.
  [[nodiscard]] bool grow(Realm& realm);

  // By the guardian. The service thread of that realm has faulted, for a reason told in `text`: the
  // realm is ended, all below it are suspended, and the thread waits for the end. False: not so,
  // since the thread has taken what others need, or that is no realm's.
  [[nodiscard]] bool bury(std::uint32_t realm, std::string_view text);
  // Nothing runs any more.
  void suspend_all();
  [[nodiscard]] std::string_view name_of(std::uint32_t realm) {
    return entry(realm).realm == nullptr ? "?" : entry(realm).realm->name();
  }

  // The same way back: pieces that nothing of is in use go to the parent. What the realm has asked
  // for ahead stays.
  void shrink(Realm& realm);
  // By the realm's own service thread, which has claimed its memory: asks the children that have
  // grown for what they do not use, and waits a little. False: there are none, or they were asked
  // less than a second ago, or nothing came.
  [[nodiscard]] bool press(Realm& realm);

  // By the realm's own service thread: claims the parent's memory, which it is to let go soon.
  // False: this realm is to stop.
  [[nodiscard]] bool claim_above(const Realm& realm);
  // By the realm's own service thread, when its worker will not run again.
  void ended(const Realm& realm, std::uint64_t status, std::string_view text);
  // By the realm's own service thread, when it has been told to stop: it does nothing any more. The
  // realm itself stands still, but it may have sent its endpoint to others.
  [[noreturn]] void rest(const Realm& realm);
  [[nodiscard]] bool is_stopping(const Realm& realm) {
    return std::atomic_ref(entry(realm.number()).stopping).load(std::memory_order_relaxed);
  }
  // By the realm's own service thread: a further helper has been made, and gets its time.
  void count_helpers(const Realm& realm);
  // Likewise: it runs, unless the realm stands still.
  void resume_helper(const Realm& realm, std::size_t number);
  // May a fault that can be served be served now?
  [[nodiscard]] bool admit_fault(const Realm& realm);
  // The same for a first look at a page of a realm above, which is no mistake.
  [[nodiscard]] bool admit_inheriting(const Realm& realm);
  // May it have memory of its parent's for a shared binary now?
  [[nodiscard]] bool admit_binary(const Realm& realm);
  // May it write a line to the log now? The first realm always may.
  [[nodiscard]] bool admit_line(const Realm& realm);

 private:
  struct Home;  // what lives in the realm's part of the manager's address space
  static constexpr std::uint64_t kInheritingPerSecond = 20'000;
  static constexpr std::uint64_t kLinesPerSecond = 20;
  static constexpr std::uint64_t kBinariesPerSecond = 200;
  static constexpr int kLeastPieceBits = 20;
  static constexpr std::size_t kChannelPages = abi::kChannelSize / abi::kSmallPage;

  struct Entry {
    Realm* realm = nullptr;  // null while it is made or taken down
    Home* home = nullptr;    // null: the root
    abi::RealmState state = abi::RealmState::kDormant;
    bool told = false;  // the parent knows that it has ended
    bool buried = false;
    bool stopping = false;
    std::uint64_t granted = 0;    // bytes of its memory: the grant and further pieces
    std::uint64_t set_aside = 0;  // the grant
    std::uint64_t most = 0;       // `granted` never gets above that
    std::uint64_t status = 0;
    std::uint64_t asked_share = abi::kNoShare;
    std::uint64_t share = abi::kNoShare;  // of it and all its children
    std::uint64_t reserve = 0;            // of it and all its children
    bool divided = false;                 // `share` was worked out
    bool stale = false;                   // `plan` is not yet what follows from that
    CpuPlan plan;                         // what its threads have of that
    std::size_t helpers = 0;              // so many have their part
    bool planned = false;                 // the keeper of reserves knows it
    RateLimit faults{abi::kFaultsPerSecond};
    RateLimit inheriting{kInheritingPerSecond};
    RateLimit lines{kLinesPerSecond};
    RateLimit pressing{1};
    RateLimit binaries{kBinariesPerSecond};
    // What the parent has spent on it.
    std::uint64_t number = 0;
    std::uint64_t cost = 0;
    KernelObject table;
    FrameRun frames;
    std::array<abi::CPtr, kChannelPages> channel{};
  };

  [[nodiscard]] Entry& entry(std::uint32_t realm) { return entries_[RealmTree::index_of(realm)]; }
  [[nodiscard]] bool is_child(const Realm& parent, std::uint32_t child) const {
    return tree_.valid(child) && tree_.parent(child) == parent.number();
  }
  [[nodiscard]] abi::Status build(Realm& parent, std::uint32_t realm, const CreateRealm& request);
  [[nodiscard]] abi::Status make_home(Realm& parent, std::uint32_t realm);
  void destroy(Realm& parent, Entry& entry);
  void stop_subtree(std::uint32_t top);
  static void end(Entry& found, std::uint64_t status, std::string_view text);
  [[nodiscard]] bool can_bury(std::uint32_t realm);
  [[nodiscard]] bool take_piece(Realm& parent, Entry& grown);
  [[nodiscard]] FamilyTime family_time(std::uint32_t realm);
  [[nodiscard]] std::uint64_t reservable(std::uint32_t realm);
  void divide_time(std::uint32_t parent);
  void apply_plans(std::uint32_t top);
  [[nodiscard]] std::optional<Reserves::Plan> next_plan(Entry& entry);

  Shared& shared_;
  Lock lock_;
  Lock plans_lock_;  // of who gives realms their time; taken before `lock_`
  RealmTree tree_;
  std::array<Entry, RealmTree::kMax> entries_{};
};

}  // namespace lona::manager
