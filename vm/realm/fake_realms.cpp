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
NewRealm create_realm(std::string_view, const RealmPolicy&) {
  return {.error = RealmError::kUnsupported, .realm = kNoRealm, .number = 0};
}
RealmError command_realm(RealmCommand, std::uint32_t) {
  return RealmError::kNoSuchRealm;
}
RealmError realm_figures(std::uint32_t realm, RealmFigures& figures) {
  if (realm < fake::kSelf || realm > fake::kGrandchild) return RealmError::kNoSuchRealm;
  figures = {};
  figures.parent = realm - 1;
  return RealmError::kNone;
}
std::size_t child_realms(std::uint32_t, std::uint64_t, std::span<std::uint32_t>) {
  return 0;
}
bool take_realm_event() {
  return false;
}
bool next_ended(RealmEnd&) {
  return false;
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
PeerNumbers connect_realms(std::uint32_t, std::uint32_t) {
  return {.error = RealmError::kNoSuchRealm, .first = 0, .second = 0};
}
RealmError disconnect_realms(std::uint32_t, std::uint32_t) {
  return RealmError::kNoSuchRealm;
}
void signal_peer(std::uint32_t) {}
void redirect_output(void (*)(std::string_view)) {}

}  // namespace platform

}  // namespace lona::vm
