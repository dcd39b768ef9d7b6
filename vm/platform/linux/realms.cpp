// SPDX-License-Identifier: BSD-2-Clause
// A process of the host is one realm; there is no manager that could make others.
#include "vm/platform/platform.hpp"

namespace lona::vm::platform {

RealmIdentity realm_identity() {
  return {.realm = 0, .parent = kNoRealm, .depth = 0};
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
ChannelMemory channel(std::uint32_t) {
  return {nullptr, nullptr};
}
bool is_peer_number(std::uint32_t) {
  return false;
}
ChannelMemory peer_channel(std::uint32_t, bool) {
  return {nullptr, nullptr};
}

}  // namespace lona::vm::platform
