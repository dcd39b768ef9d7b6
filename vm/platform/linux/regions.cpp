// SPDX-License-Identifier: BSD-2-Clause
// Shared regions on the host: nobody to share them with, but they can be made.
#include <cstring>

#include "vm/platform/platform.hpp"

namespace lona::vm::platform {

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

}  // namespace lona::vm::platform
