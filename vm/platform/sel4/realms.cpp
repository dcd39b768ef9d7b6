// SPDX-License-Identifier: BSD-2-Clause
// Other realms: requests to the manager, and the memory and signals of channels.
#include <algorithm>
#include <cstring>

#include "base/byte_ring.hpp"
#include "vm/platform/sel4/manager.hpp"
#include "vm/platform/sel4/platform_state.hpp"

namespace lona::vm::platform {

namespace {

static_assert(2 * sizeof(base::ByteRing) == abi::kChannelSize);
static_assert(kNoShare == abi::kNoShare && kNoRealm == abi::kNoRealm);

constinit void (*g_output)(std::string_view) = nullptr;

}  // namespace

RealmError error_of(abi::Status status) {
  switch (status) {
    case abi::Status::kOk:
      return RealmError::kNone;
    case abi::Status::kOutOfMemory:
    case abi::Status::kOverLimit:
      return RealmError::kNoMemory;
    case abi::Status::kTooMany:
      return RealmError::kTooMany;
    case abi::Status::kNoSuchRealm:
      return RealmError::kNoSuchRealm;
    case abi::Status::kBadState:
      return RealmError::kBadState;
    case abi::Status::kNoSuchRegion:
    case abi::Status::kNoSuchBinary:
      return RealmError::kNoSuchRegion;
    case abi::Status::kNoTime:
      return RealmError::kNoTime;
    case abi::Status::kNotAllowed:
      return RealmError::kNotAllowed;
    default:
      return RealmError::kBadArgument;
  }
}

bool write_elsewhere(std::string_view text) {
  if (g_output != nullptr) g_output(text);
  return g_output != nullptr;
}

void redirect_output(void (*sink)(std::string_view text)) {
  g_output = sink;
}

RealmIdentity realm_identity() {
  return {
      .realm = start_block().realm, .parent = start_block().parent, .depth = start_block().depth};
}

NewRealm create_realm(std::string_view name, const RealmPolicy& policy) {
  constexpr unsigned kFixed = 6;
  if (name.size() > abi::kRealmNameMax) return {RealmError::kBadArgument, kNoRealm, 0};
  Exchange exchange{{policy.memory_min, policy.memory_max, policy.cpu_min, policy.cpu_max,
                     policy.faults, name.size()}};
  std::memcpy(exchange.words + kFixed, name.data(), name.size());
  const abi::Status status = exchange.ask(abi::Request::kCreateRealm,
                                          static_cast<unsigned>(kFixed + (name.size() + 7) / 8));
  return {.error = error_of(status),
          .realm = static_cast<std::uint32_t>(exchange.words[0]),
          .number = static_cast<std::uint32_t>(exchange.words[1])};
}

RealmError command_realm(RealmCommand command, std::uint32_t realm) {
  const abi::Request request = command == RealmCommand::kRun       ? abi::Request::kRunRealm
                               : command == RealmCommand::kSuspend ? abi::Request::kSuspendRealm
                                                                   : abi::Request::kTerminateRealm;
  return error_of(ask_manager(request, 1, {realm, 0, 0, 0}));
}

RealmError realm_figures(std::uint32_t realm, RealmFigures& figures) {
  Exchange exchange{};
  exchange.words[0] = realm;
  const abi::Status status = exchange.ask(abi::Request::kRealmInfo, 1);
  if (status != abi::Status::kOk) return error_of(status);
  const std::uint64_t* words = exchange.words;
  figures = {.parent = static_cast<std::uint32_t>(words[0]),
             .status = static_cast<RealmStatus>(words[1]),
             .memory_limit = words[2],
             .memory_reserve = words[3],
             .memory_used = words[4],
             .share = words[5],
             .reserve = words[6],
             .time_us = words[7],
             .children = words[8],
             .faults = words[9],
             .memory_granted = words[10],
             .memory_free = words[11],
             .name_length = std::min<std::size_t>(words[12], abi::kRealmNameMax),
             .name = {}};
  std::memcpy(figures.name, words + 13, figures.name_length);
  return RealmError::kNone;
}

std::size_t child_realms(std::uint32_t realm, std::uint64_t skip, std::span<std::uint32_t> out) {
  Exchange exchange{};
  exchange.words[0] = realm;
  exchange.words[1] = skip;
  if (exchange.ask(abi::Request::kChildRealms, 2) != abi::Status::kOk) return 0;
  const std::size_t count = std::min<std::size_t>(exchange.words[0], out.size());
  for (std::size_t at = 0; at < count; ++at) {
    out[at] = static_cast<std::uint32_t>(exchange.words[1 + at]);
  }
  return count;
}

bool next_ended(RealmEnd& end) {
  Exchange exchange{};
  if (exchange.ask(abi::Request::kNextEnded, 0) != abi::Status::kOk) return false;
  end.realm = static_cast<std::uint32_t>(exchange.words[0]);
  end.fault = exchange.words[1] == abi::kEndedByFault;
  end.status = exchange.words[1];
  end.text_length = std::min<std::size_t>(exchange.words[2], sizeof end.text);
  std::memcpy(end.text, exchange.words + 3, end.text_length);
  return end.realm != kNoRealm;
}

// --- Shared regions ------------------------------------------------------------------------------

static_assert(kNoRegion == abi::kNoRegion && kRegionPlaces == abi::kRegionPlaces);
static_assert(sizeof(SharedRegion::name) == abi::kRegionNameMax + 1);

namespace {

SharedRegion start_of_answer(abi::Status status, const Exchange& exchange) {
  SharedRegion answer;
  answer.error = error_of(status);
  answer.gone = exchange.words[0];
  return answer;
}

// Where the words of a name begin, its length is.
unsigned put_name(Exchange& exchange, unsigned at, std::string_view name) {
  exchange.words[at] = name.size();
  std::memcpy(exchange.words + at + 1, name.data(), name.size());
  return static_cast<unsigned>(at + 1 + (name.size() + 7) / 8);
}

SharedRegion region_request(abi::Request request, std::uint64_t first, std::uint64_t second,
                            std::uint64_t third, unsigned length) {
  Exchange exchange{};
  exchange.words[0] = first;
  exchange.words[1] = second;
  exchange.words[2] = third;
  const abi::Status status = exchange.ask(request, length);
  return start_of_answer(status, exchange);
}

}  // namespace

SharedRegion make_region(std::uint64_t bytes, std::string_view name) {
  SharedRegion made{.error = RealmError::kBadArgument};
  if (name.size() >= sizeof made.name) return made;
  Exchange exchange{};
  exchange.words[0] = bytes;
  const abi::Status status = exchange.ask(abi::Request::kMakeRegion, put_name(exchange, 1, name));
  made = start_of_answer(status, exchange);
  if (made.error != RealmError::kNone) return made;
  made.region = exchange.words[1];
  made.place = static_cast<std::uint32_t>(exchange.words[2]);
  made.bytes = bytes;
  made.writable = true;
  made.name_length = name.size();
  name.copy(made.name, name.size());
  return made;
}

SharedRegion find_region(std::uint64_t region, std::string_view name) {
  SharedRegion found{.error = RealmError::kNoSuchRegion};
  if (name.size() >= sizeof found.name) return found;
  Exchange exchange{};
  exchange.words[0] = region;
  const unsigned length = region == kNoRegion ? put_name(exchange, 1, name) : 1;
  const abi::Status status = exchange.ask(abi::Request::kFindRegion, length);
  found = start_of_answer(status, exchange);
  if (found.error != RealmError::kNone) return found;
  found.region = exchange.words[1];
  found.place = static_cast<std::uint32_t>(exchange.words[2]);
  found.bytes = exchange.words[3];
  found.writable = exchange.words[4] != 0;
  found.name_length = std::min<std::size_t>(exchange.words[6], abi::kRegionNameMax);
  std::memcpy(found.name, exchange.words + 7, found.name_length);
  return found;
}

SharedRegion share_region(std::uint64_t region, std::uint32_t realm, bool writable) {
  return region_request(abi::Request::kShareRegion, region, realm, writable ? 1 : 0, 3);
}
SharedRegion unshare_region(std::uint64_t region, std::uint32_t realm) {
  return region_request(abi::Request::kUnshareRegion, region, realm, 0, 2);
}
SharedRegion release_region(std::uint64_t region) {
  return region_request(abi::Request::kReleaseRegion, region, 0, 0, 1);
}

std::uint8_t* region_window(std::uint32_t place) {
  return reinterpret_cast<std::uint8_t*>(abi::region_window(place));
}

// The manager passes over an instruction that faults there; what is left to copy tells.
bool copy_region(void* to, const void* from, std::size_t bytes) {
  static_assert(abi::kRegionCopyLength == 3);
  std::size_t words = bytes / 8;
  asm volatile(".byte 0xf3, 0x48, 0xa5"  // rep movsq
               : "+D"(to), "+S"(from), "+c"(words)
               :
               : "memory");
  std::size_t rest = words == 0 ? bytes % 8 : 0;
  asm volatile(".byte 0xf3, 0x40, 0xa4"  // rep movsb
               : "+D"(to), "+S"(from), "+c"(rest)
               :
               : "memory");
  return words == 0 && rest == 0;
}

// The first ring of a channel is the child's to write.
ChannelMemory channel(std::uint32_t number) {
  const bool to_parent = number == kParent;
  auto* first = reinterpret_cast<base::ByteRing*>(to_parent ? abi::kParentChannel
                                                            : abi::child_channel(number));
  return to_parent ? ChannelMemory{first, first + 1} : ChannelMemory{first + 1, first};
}

bool is_peer_number(std::uint32_t number) {
  return start_block().cspace_bits == abi::kChildCSpaceBits && number >= abi::kFirstPeer &&
         number < abi::kFirstPeer + abi::kPeerMax;
}

ChannelMemory peer_channel(std::uint32_t number, bool first) {
  auto* ring = reinterpret_cast<base::ByteRing*>(abi::child_channel(number));
  return first ? ChannelMemory{ring, ring + 1} : ChannelMemory{ring + 1, ring};
}

PeerNumbers connect_realms(std::uint32_t first, std::uint32_t second) {
  Exchange exchange{};
  exchange.words[0] = first;
  exchange.words[1] = second;
  const abi::Status status = exchange.ask(abi::Request::kConnectRealms, 2);
  return {.error = error_of(status),
          .first = static_cast<std::uint32_t>(exchange.words[0]),
          .second = static_cast<std::uint32_t>(exchange.words[1])};
}

RealmError disconnect_realms(std::uint32_t one, std::uint32_t other) {
  return error_of(ask_manager(abi::Request::kDisconnectRealms, 2, {one, other, 0, 0}));
}

void signal_peer(std::uint32_t number) {
  abi::signal(number == kParent ? abi::kRealmSlotParent : abi::kRealmSlotChildren + number);
}

}  // namespace lona::vm::platform
