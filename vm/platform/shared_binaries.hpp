// SPDX-License-Identifier: BSD-2-Clause
// Binaries that several realms share (abi/lona/protocol.hpp). On the host there is no other realm.
#pragma once

#include "vm/platform/platform.hpp"

namespace lona::vm::platform {

inline constexpr unsigned kBinaryPlaces = 32;
inline constexpr std::size_t kLeastBinary = 192 * 1024;
inline constexpr std::size_t kMostBinary = std::size_t{16} << 20;
struct SharedBinary {
  RealmError error = RealmError::kNoSuchRegion;
  std::uint64_t number = 0;
  std::uint32_t place = 0;
  std::size_t bytes = 0;
  std::size_t dirty = 0;  // of a new one: so many may be of an older one
};
// For that realm, to be filled before it is given away.
SharedBinary make_binary(std::uint32_t realm, std::size_t bytes);
// The realm may take it once more; and it may not, after all.
RealmError give_binary(std::uint64_t number, std::uint32_t realm);
void take_back_binary(std::uint64_t number, std::uint32_t realm);
// kNoSuchRegion: that realm has not given it.
SharedBinary take_binary(std::uint64_t number, std::uint32_t from);
// What this realm has, for kNoRealm; otherwise it does not take once what that one has given.
void drop_binary(std::uint64_t number, std::uint32_t from);
char* binary_window(std::uint32_t place);

}  // namespace lona::vm::platform
