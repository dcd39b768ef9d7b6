// SPDX-License-Identifier: BSD-2-Clause
// In the place of platform/linux/realms.cpp.
#include "vm/realm/fake_realms.hpp"

#include <new>

namespace lona::vm {

namespace fake {

namespace {
Channel channels[3];
}

Channel& channel(std::uint32_t number) {
  return channels[number == platform::kParent ? 2 : number];
}

void clear() {
  for (Channel& one : channels) new (&one) Channel{};
}

}  // namespace fake

namespace platform {

RealmIdentity realm_identity() {
  return {.realm = fake::kSelf, .parent = fake::kParent, .depth = 0};  // nothing is inherited
}
RealmError realm_figures(std::uint32_t realm, RealmFigures& figures) {
  if (realm < fake::kSelf || realm > fake::kGrandchild) return RealmError::kNoSuchRealm;
  figures = {};
  figures.parent = realm - 1;
  return RealmError::kNone;
}
ChannelMemory channel(std::uint32_t number) {
  return {&fake::channel(number).out, &fake::channel(number).in};
}
bool is_peer_number(std::uint32_t number) {
  return number == fake::kSiblingNumber;
}
ChannelMemory peer_channel(std::uint32_t number, bool) {
  return channel(number);
}

}  // namespace platform

}  // namespace lona::vm
