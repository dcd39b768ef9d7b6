// SPDX-License-Identifier: BSD-2-Clause
#include "manager/realm_tree.hpp"

namespace lona::manager {

using abi::kNoRealm;

namespace {

// A place that was used so often is not used again: its next numbers would be old ones.
constexpr std::uint32_t kMaxUses = (1U << (32 - RealmTree::kIndexBits)) - 2;

}  // namespace

base::Expected<std::uint32_t, abi::Status> RealmTree::add(std::uint32_t parent) {
  if (at(parent).depth == kMaxDepth || kMax - count_ <= kKeptForALevel * at(parent).depth) {
    return base::fail(abi::Status::kTooMany);
  }
  // Places take turns, so that a number comes back as late as can be.
  std::uint32_t best = kMax;
  for (std::uint32_t step = 0; step < kMax && best == kMax; ++step) {
    const std::uint32_t index = (turn_ + step) % kMax;
    if (!entries_[index].used && entries_[index].uses < kMaxUses) {
      best = index;
    }
  }
  if (best == kMax) {
    return base::fail(abi::Status::kTooMany);
  }
  turn_ = best + 1;
  Entry& entry = entries_[best];
  const std::uint32_t realm = entry.uses << kIndexBits | best;
  entry = {.uses = entry.uses,
           .used = true,
           .parent = parent,
           .depth = at(parent).depth + 1,
           .next = at(parent).first};
  at(parent).first = realm;
  ++at(parent).children;
  ++count_;
  return realm;
}

void RealmTree::remove(std::uint32_t realm) {
  Entry& parent = at(at(realm).parent);
  std::uint32_t* link = &parent.first;
  while (*link != realm) {
    link = &at(*link).next;
  }
  *link = at(realm).next;
  --parent.children;
  at(realm).next = kNoRealm;
  each_within(realm, [&](std::uint32_t each) {
    Entry& entry = at(each);
    entry = {.uses = entry.uses + 1};
    --count_;
  });
}

bool RealmTree::valid(std::uint32_t realm) const {
  return at(realm).used && at(realm).uses == realm >> kIndexBits;
}

bool RealmTree::within(std::uint32_t above, std::uint32_t realm) const {
  if (!valid(realm)) {
    return false;
  }
  while (realm != above && realm != kNoRealm) {
    realm = parent(realm);
  }
  return realm == above;
}

std::uint32_t RealmTree::deepest(std::uint32_t realm) const {
  while (at(realm).first != kNoRealm) {
    realm = at(realm).first;
  }
  return realm;
}

}  // namespace lona::manager
