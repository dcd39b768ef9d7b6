// SPDX-License-Identifier: BSD-2-Clause
// Which realms are there, and who is whose child? A realm's number is its place in the table and
// how often that place was used before, so it never names another realm.
#pragma once

#include <array>
#include <cstdint>

#include "abi/lona/protocol.hpp"
#include "abi/lona/realm_start.hpp"
#include "base/expected.hpp"

namespace lona::manager {

class RealmTree {
 public:
  static constexpr std::uint32_t kIndexBits = 10;
  static constexpr std::uint32_t kMax = 1 << kIndexBits;
  static constexpr std::uint32_t kMaxDepth = 16;  // of levels below the first realm
  static constexpr std::uint32_t kRoot = 0;
  // So many places remain free for each level above, so that nobody takes the last ones from those
  // who could end it.
  static constexpr std::uint32_t kKeptForALevel = 8;

  [[nodiscard]] static constexpr std::uint32_t index_of(std::uint32_t realm) {
    return realm % kMax;
  }

  // The root is there from the start. `parent` is valid.
  [[nodiscard]] base::Expected<std::uint32_t, abi::Status> add(std::uint32_t parent);
  // The realm and all below it. Not the root.
  void remove(std::uint32_t realm);

  [[nodiscard]] bool valid(std::uint32_t realm) const;
  [[nodiscard]] std::uint32_t parent(std::uint32_t realm) const { return at(realm).parent; }
  [[nodiscard]] std::uint32_t depth(std::uint32_t realm) const { return at(realm).depth; }
  [[nodiscard]] std::uint32_t children(std::uint32_t realm) const { return at(realm).children; }
  // kNoRealm: none.
  [[nodiscard]] std::uint32_t first_child(std::uint32_t realm) const { return at(realm).first; }
  [[nodiscard]] std::uint32_t next_sibling(std::uint32_t realm) const { return at(realm).next; }
  // Is `realm` valid, and `above` itself or below it?
  [[nodiscard]] bool within(std::uint32_t above, std::uint32_t realm) const;
  [[nodiscard]] std::uint32_t count() const { return count_; }

  // Calls f(realm) for the realm and all below it, children before their parents.
  template <typename F>
  void each_within(std::uint32_t realm, F&& f) const {
    std::uint32_t current = deepest(realm);
    while (current != realm) {
      const std::uint32_t next =
          at(current).next != abi::kNoRealm ? deepest(at(current).next) : at(current).parent;
      f(current);
      current = next;
    }
    f(realm);
  }

 private:
  struct Entry {
    std::uint32_t uses = 0;
    bool used = false;
    std::uint32_t parent = abi::kNoRealm;
    std::uint32_t depth = 0;
    std::uint32_t children = 0;
    std::uint32_t first = abi::kNoRealm;
    std::uint32_t next = abi::kNoRealm;
  };

  [[nodiscard]] const Entry& at(std::uint32_t realm) const { return entries_[index_of(realm)]; }
  [[nodiscard]] Entry& at(std::uint32_t realm) { return entries_[index_of(realm)]; }
  [[nodiscard]] std::uint32_t deepest(std::uint32_t realm) const;

  std::array<Entry, kMax> entries_{Entry{.used = true}};
  std::uint32_t count_ = 1;
  std::uint32_t turn_ = 1;  // entries are used in turn, so that none wears out before the others
};

}  // namespace lona::manager
