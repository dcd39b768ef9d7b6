// SPDX-License-Identifier: BSD-2-Clause
// A process of the host is one realm; there is no manager that could make others.
#include <cstring>

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

// --- Shared regions: nobody to share them with, but they can be made --------------------------

namespace {

struct HostRegion {
  SharedRegion told;
  std::uint8_t* pages = nullptr;
};
constinit HostRegion g_regions[kRegionPlaces];
constinit std::uint64_t g_regions_made = 0;

HostRegion* region_of(std::uint64_t region) {
  for (HostRegion& one : g_regions) {
    if (one.pages != nullptr && one.told.region == region) return &one;
  }
  return nullptr;
}

}  // namespace

SharedRegion make_region(std::uint64_t bytes, std::string_view name) {
  constexpr std::uint64_t kMost = std::uint64_t{16} << 20;
  SharedRegion made;
  if (bytes == 0 || bytes > kMost || name.size() >= sizeof made.name) {
    made.error = RealmError::kBadArgument;
    return made;
  }
  for (std::uint32_t place = 0; place < kRegionPlaces; ++place) {
    HostRegion& one = g_regions[place];
    if (one.pages != nullptr) continue;
    one.pages = static_cast<std::uint8_t*>(map_pages(whole_pages(bytes)));
    if (one.pages == nullptr) {
      made.error = RealmError::kNoMemory;
      return made;
    }
    made = {.region = ++g_regions_made,
            .place = place,
            .bytes = bytes,
            .writable = true,
            .name_length = name.size()};
    name.copy(made.name, name.size());
    one.told = made;
    return made;
  }
  made.error = RealmError::kTooMany;
  return made;
}
SharedRegion find_region(std::uint64_t region, std::string_view) {
  const HostRegion* found = region_of(region);
  return found == nullptr ? SharedRegion{.error = RealmError::kNoSuchRegion} : found->told;
}
SharedRegion share_region(std::uint64_t region, std::uint32_t, bool) {
  return {.error =
              region_of(region) == nullptr ? RealmError::kNoSuchRegion : RealmError::kNoSuchRealm};
}
SharedRegion unshare_region(std::uint64_t, std::uint32_t) {
  return {.error = RealmError::kNoSuchRegion};
}
SharedRegion release_region(std::uint64_t region) {
  HostRegion* found = region_of(region);
  if (found == nullptr) return {.error = RealmError::kNoSuchRegion};
  unmap_pages(found->pages, whole_pages(found->told.bytes));
  *found = {};
  return {};
}
std::uint8_t* region_window(std::uint32_t place) {
  return g_regions[place].pages;
}
bool copy_region(void* to, const void* from, std::size_t bytes) {
  std::memcpy(to, from, bytes);
  return true;
}

void redirect_output(void (*)(std::string_view)) {}

}  // namespace lona::vm::platform
