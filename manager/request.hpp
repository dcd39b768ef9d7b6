// SPDX-License-Identifier: BSD-2-Clause
// Requests of realms, decoded: everything that can be known from the message alone is checked
// here, before anything is done. What a realm sends is hostile.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "abi/lona/address_map.hpp"
#include "abi/lona/protocol.hpp"
#include "abi/lona/realm_start.hpp"
#include "abi/sel4/object_types.hpp"
#include "base/expected.hpp"

namespace lona::manager {

// Whole pages inside the process pool, or inside the memory of one level.
struct PageRange {
  abi::Address address = 0;
  std::uint64_t count = 0;
  unsigned page_bits = 0;

  bool operator==(const PageRange&) const = default;

  [[nodiscard]] std::uint64_t bytes() const { return count << page_bits; }
};

struct MapPages {
  PageRange pages;
};
struct UnmapPages {
  PageRange pages;
};
struct Figures {};
struct SetDeadline {
  std::uint64_t tick;
};
struct LogText {
  std::uint64_t length;  // bytes, in the words from the second on
};
struct ExitRealm {
  std::uint64_t status;
  std::uint64_t length;  // bytes of a text, in the words from the third on
};
struct RequestMemory {
  std::uint64_t bytes;
};

struct RegionName {
  std::size_t length = 0;
  char text[abi::kRegionNameMax + 1] = {};

  [[nodiscard]] std::string_view view() const { return {text, length}; }
};

struct CreateRealm {
  std::uint64_t memory;      // bytes set aside
  std::uint64_t memory_max;  // bytes
  std::uint64_t reserve;     // millionths of a processor, at most `share`
  std::uint64_t share;       // millionths of a processor, or kNoShare
  std::uint64_t faults;      // in a second
  std::size_t name_length;
  char text[abi::kRealmNameMax + 1];

  [[nodiscard]] std::string_view name() const { return {text, name_length}; }
};
struct RunRealm {
  std::uint32_t realm;
};
struct SuspendRealm {
  std::uint32_t realm;
};
struct TerminateRealm {
  std::uint32_t realm;
};
struct RealmInfo {
  std::uint32_t realm;
};
struct ChildRealms {
  std::uint32_t realm;
  std::uint64_t skip;
};
struct NextEnded {};
struct ConnectRealms {
  std::uint32_t first;
  std::uint32_t second;
};
struct DisconnectRealms {
  std::uint32_t one;
  std::uint32_t other;
};
struct MakeObject {
  abi::ObjectType type;
  unsigned size_bits;  // of the call: 0 for objects of one size
  std::uint64_t slot;
};
struct FreeObject {
  std::uint64_t slot;
};
struct MakeIrqHandler {
  std::uint64_t interrupt;
  std::uint64_t slot;
};
struct GiveSchedControl {
  std::uint64_t core;
  std::uint64_t slot;
};
struct OfferCapability {
  std::uint64_t slot;
  std::uint32_t realm;
  std::uint64_t rights;  // of the kernel's ABI
  std::uint64_t badge;
};
struct TakeCapability {
  std::uint32_t realm;  // that offers it
  std::uint64_t number;
  std::uint64_t rights;
  std::uint64_t slot;
};
struct LostCapabilities {};
struct GivePorts {
  std::uint64_t first;
  std::uint64_t last;
  std::uint64_t slot;
};
struct MakeHelper {
  std::uint64_t number;
};
struct RestartHelper {
  std::uint64_t number;
};
struct MakeRegion {
  std::uint64_t bytes;
  RegionName name;
};
struct ShareRegion {
  std::uint64_t region;
  std::uint32_t realm;
  bool writable;
};
struct UnshareRegion {
  std::uint64_t region;
  std::uint32_t realm;
};
struct FindRegion {
  std::uint64_t region;  // kNoRegion: by its name
  RegionName name;
};
struct ReleaseRegion {
  std::uint64_t region;
};
struct MakeBinary {
  std::uint32_t realm;
  std::uint64_t bytes;
};
struct GiveBinary {
  std::uint64_t binary;
  std::uint32_t realm;
};
struct TakeBinary {
  std::uint64_t binary;
  std::uint32_t from;
};
struct TakeBackBinary {
  std::uint64_t binary;
  std::uint32_t realm;
};
struct DropBinary {
  std::uint64_t binary;
  std::uint32_t from;  // kNoRealm: what this realm has
};

using DecodedRequest =
    std::variant<MapPages, UnmapPages, Figures, SetDeadline, LogText, ExitRealm, RequestMemory,
                 CreateRealm, RunRealm, SuspendRealm, TerminateRealm, RealmInfo, ChildRealms,
                 NextEnded, MakeObject, FreeObject, MakeIrqHandler, GiveSchedControl, GivePorts,
                 MakeHelper, RestartHelper, ConnectRealms, DisconnectRealms, OfferCapability,
                 TakeCapability, LostCapabilities, MakeRegion, ShareRegion, UnshareRegion,
                 FindRegion, ReleaseRegion, MakeBinary, GiveBinary, TakeBinary, DropBinary,
                 TakeBackBinary>;

// `words` are the message's words, as many as the sender said.
[[nodiscard]] base::Expected<DecodedRequest, abi::Status> decode_request(
    std::uint64_t label, std::span<const std::uint64_t> words);

// Makes untrusted text fit for a line of the log: printable ASCII stays, all else becomes '?'.
void sanitize(std::span<char> text);

}  // namespace lona::manager
