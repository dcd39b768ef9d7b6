// SPDX-License-Identifier: BSD-2-Clause
// What a realm asks of a manager, where there is none: no other realm can be made, or ends.
#include "vm/platform/platform.hpp"

namespace lona::vm::platform {

NewRealm create_realm(std::string_view, const RealmPolicy&) {
  return {.error = RealmError::kUnsupported, .realm = kNoRealm, .number = 0};
}
RealmError command_realm(RealmCommand, std::uint32_t) {
  return RealmError::kNoSuchRealm;
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
PeerNumbers connect_realms(std::uint32_t, std::uint32_t) {
  return {.error = RealmError::kNoSuchRealm, .first = 0, .second = 0};
}
RealmError disconnect_realms(std::uint32_t, std::uint32_t) {
  return RealmError::kNoSuchRealm;
}
void signal_peer(std::uint32_t) {}
void redirect_output(void (*)(std::string_view)) {}

}  // namespace lona::vm::platform
