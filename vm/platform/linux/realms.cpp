// SPDX-License-Identifier: BSD-2-Clause
// A process of the host is one realm; there is no manager that could make others.
#include "vm/platform/platform.hpp"

namespace lona::vm::platform {

RealmIdentity realm_identity() {
  return {.realm = 0, .parent = kNoRealm, .depth = 0};
}
NewRealm create_realm(std::string_view, const RealmPolicy&) {
  return {.error = RealmError::kUnsupported, .realm = kNoRealm, .number = 0};
}
RealmError command_realm(RealmCommand, std::uint32_t) {
  return RealmError::kNoSuchRealm;
}
RealmError realm_figures(std::uint32_t realm, RealmFigures& figures) {
  if (realm != 0) return RealmError::kNoSuchRealm;
  const MemoryFigures memory = memory_figures();
  figures = {.parent = kNoRealm,
             .status = RealmStatus::kRunning,
             .memory_limit = memory.limit,
             .memory_reserve = 0,
             .memory_used = memory.mapped,
             .share = kNoShare,
             .reserve = 0,
             .time_us = 0,
             .children = 0,
             .faults = 0,
             .memory_granted = memory.limit,
             .memory_free = memory.limit - memory.mapped,
             .name_length = 4,
             .name = "host"};
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
ChannelMemory channel(std::uint32_t) {
  return {nullptr, nullptr};
}
bool is_peer_number(std::uint32_t) {
  return false;
}
ChannelMemory peer_channel(std::uint32_t, bool) {
  return {nullptr, nullptr};
}
PeerNumbers connect_realms(std::uint32_t, std::uint32_t) {
  return {.error = RealmError::kNoSuchRealm, .first = 0, .second = 0};
}
RealmError disconnect_realms(std::uint32_t, std::uint32_t) {
  return RealmError::kNoSuchRealm;
}
void signal_peer(std::uint32_t) {}

void redirect_output(void (*)(std::string_view)) {}

}  // namespace lona::vm::platform
