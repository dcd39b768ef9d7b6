// SPDX-License-Identifier: BSD-2-Clause
#include "vm/code/level.hpp"

#include <new>

namespace lona::vm {

namespace {

constexpr std::size_t kMostLevels = 64;

constinit std::atomic<LevelHeader*> header{nullptr};
constinit const LevelHeader* above[kMostLevels] = {};
constinit std::size_t above_count = 0;

// Before the VM has any other thread: names are interned first of all.
LevelHeader& make_own_level() {
  const std::uint32_t depth = platform::realm_identity().depth;
  for (std::uint32_t d = depth; d-- > 0 && above_count < kMostLevels;) {
    above[above_count++] = static_cast<const LevelHeader*>(platform::inherited_level(d));
  }
  if (depth != 0) inherited_range = {abi::kLevels, depth * abi::kLevelSize};
  // The realms below find the header by its being in the first page that was ever asked for.
  void* page = platform::map_level_pages(platform::LevelPart::kCode, platform::kPageSize);
  if (page == nullptr) platform::panic("not enough memory to start");
  auto* made = new (page) LevelHeader();
  made->realm = platform::realm_identity().realm;
  header.store(made, std::memory_order_release);
  return *made;
}

}  // namespace

constinit InheritedRange inherited_range{0, 0};

LevelHeader& own_level() {
  LevelHeader* known = header.load(std::memory_order_acquire);
  return known != nullptr ? *known : make_own_level();
}

std::span<const LevelHeader* const> levels_above() {
  own_level();
  return {above, above_count};
}

std::uint32_t owner_of(const void* inherited) {
  const auto address = reinterpret_cast<std::uint64_t>(inherited);
  const std::uint64_t depth =
      abi::kCoreData.contains(address) ? 0 : (address - abi::kLevels) / abi::kLevelSize;
  return above[above_count - 1 - depth]->realm;
}

void* map_shared_pages(std::size_t bytes) {
  own_level();
  return platform::map_level_pages(platform::LevelPart::kCode, bytes);
}

}  // namespace lona::vm
