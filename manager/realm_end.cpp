// SPDX-License-Identifier: BSD-2-Clause
// The end of realms: of their own, by their parents, or when a thread of the manager has faulted.
#include <algorithm>
#include <cstring>

#include "manager/realm_home.hpp"

namespace lona::manager {

namespace {

using abi::RealmState;
using abi::Status;

}  // namespace

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
        // It has answered, and may be on its way to rest still: in memory that goes now.
        (void)abi::tcb_suspend(home->thread.tcb());
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

}  // namespace lona::manager
