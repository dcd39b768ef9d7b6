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

// Words of a request that may be longer than the registers, and of its answer.
struct Exchange {
  std::uint64_t words[abi::kMsgMaxLength];

  abi::Status ask(abi::Request request, unsigned length) {
    for (unsigned at = abi::kMsgRegisters; at < length; ++at) {
      abi::ipc_buffer().msg[at] = words[at];
    }
    const abi::MessageInfo info(static_cast<std::uint64_t>(request), 0, 0, length);
    const abi::Message answer =
        abi::call(abi::kRealmSlotManager, info, {words[0], words[1], words[2], words[3]});
    words[0] = answer.words.mr0;
    words[1] = answer.words.mr1;
    words[2] = answer.words.mr2;
    words[3] = answer.words.mr3;
    for (unsigned at = abi::kMsgRegisters; at < answer.info.length(); ++at) {
      words[at] = abi::ipc_buffer().msg[at];
    }
    return static_cast<abi::Status>(answer.info.label());
  }
};

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
    default:
      return RealmError::kBadArgument;
  }
}

constinit void (*g_output)(std::string_view) = nullptr;

}  // namespace

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

NewRealm create_realm(std::string_view name, std::uint64_t memory, std::uint64_t share) {
  Exchange exchange{};
  exchange.words[0] = memory;
  exchange.words[1] = share;
  exchange.words[2] = name.size();
  if (name.size() > abi::kRealmNameMax) return {RealmError::kBadArgument, kNoRealm, 0};
  std::memcpy(exchange.words + 3, name.data(), name.size());
  const abi::Status status =
      exchange.ask(abi::Request::kCreateRealm, static_cast<unsigned>(3 + (name.size() + 7) / 8));
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
             .memory_used = words[3],
             .share = words[4],
             .time_us = words[5],
             .children = words[6],
             .faults = words[7],
             .name_length = std::min<std::size_t>(words[8], abi::kRealmNameMax),
             .name = {}};
  std::memcpy(figures.name, words + 9, figures.name_length);
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

NewNotification make_notification() {
  Exchange exchange{};
  const abi::Status status = exchange.ask(abi::Request::kMakeNotification, 0);
  return {.error = error_of(status), .number = exchange.words[0]};
}

void signal_notification(std::uint64_t number) {
  abi::signal(number);
}

std::uint64_t poll_notification(std::uint64_t number) {
  return abi::poll(number).badge;
}

// The first ring of a channel is the child's to write.
ChannelMemory channel(std::uint32_t number) {
  const bool to_parent = number == kParent;
  auto* first = reinterpret_cast<base::ByteRing*>(to_parent ? abi::kParentChannel
                                                            : abi::child_channel(number));
  return to_parent ? ChannelMemory{first, first + 1} : ChannelMemory{first + 1, first};
}

void signal_peer(std::uint32_t number) {
  abi::signal(number == kParent ? abi::kRealmSlotParent : abi::kRealmSlotChildren + number);
}

}  // namespace lona::vm::platform
