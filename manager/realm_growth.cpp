// SPDX-License-Identifier: BSD-2-Clause
// How a realm gets more of its parent's memory, and gives it back.
#include <algorithm>

#include "manager/realm_home.hpp"

namespace lona::manager {

namespace {

using abi::Status;

constexpr std::uint64_t kPressingMs = 8;  // that a realm without memory waits for its children's

}  // namespace

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
  if (!claim_above(realm)) {
    return;
  }
  Realm& parent = *entry(tree_.parent(realm.number())).realm;
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

}  // namespace lona::manager
