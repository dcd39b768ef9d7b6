// SPDX-License-Identifier: BSD-2-Clause
#include "vm/realm/routes.hpp"

namespace lona::vm {

void Routes::start(std::uint32_t own, std::uint32_t parent) {
  own_ = own;
  parent_ = parent;
}

std::uint32_t Routes::next(std::uint32_t realm) {
  for (const Known& known : known_) {
    if (known.realm == realm) return known.next;
  }
  const std::uint32_t child = child_above(realm);
  // What is not below now is not remembered: a realm may get that number later.
  if (child == platform::kNoRealm) return parent_;
  remember(realm, child);
  return child;
}

// The manager tells of realms below this one only.
std::uint32_t Routes::child_above(std::uint32_t realm) const {
  platform::RealmFigures figures;
  while (platform::realm_figures(realm, figures) == platform::RealmError::kNone) {
    if (figures.parent == own_) return realm;
    if (figures.parent == platform::kNoRealm || realm == own_) break;
    realm = figures.parent;
  }
  return platform::kNoRealm;
}

void Routes::remember(std::uint32_t realm, std::uint32_t next) {
  for (const Known& known : known_) {
    if (known.realm == realm) return;
  }
  known_[turn_++ % known_.size()] = {realm, next};
}

}  // namespace lona::vm
