// SPDX-License-Identifier: BSD-2-Clause
// How the time of a realm is divided between its threads, its children and theirs.
#include <algorithm>
#include <optional>

#include "manager/cpu_share.hpp"
#include "manager/realm_home.hpp"

namespace lona::manager {

namespace {

using abi::RealmState;

}  // namespace

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
