// SPDX-License-Identifier: BSD-2-Clause
// A process of the host is one realm; there is no manager that could make others.
#include "vm/platform/platform.hpp"

namespace lona::vm::platform {

RealmIdentity realm_identity() {
  return {.realm = 0, .parent = kNoRealm, .depth = 0};
}
NewRealm create_realm(std::string_view, std::uint64_t, std::uint64_t) {
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
             .memory_used = memory.mapped,
             .share = kNoShare,
             .time_us = 0,
             .children = 0,
             .faults = 0,
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
NewNotification make_notification() {
  return {.error = RealmError::kUnsupported, .number = 0};
}
void signal_notification(std::uint64_t) {}
std::uint64_t poll_notification(std::uint64_t) {
  return 0;
}
ChannelMemory channel(std::uint32_t) {
  return {nullptr, nullptr};
}
void signal_peer(std::uint32_t) {}
void redirect_output(void (*)(std::string_view)) {}

}  // namespace lona::vm::platform
