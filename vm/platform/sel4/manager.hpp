// SPDX-License-Identifier: BSD-2-Clause
// Requests to the memory manager (abi/lona/protocol.hpp), and what the realm started with.
#pragma once

#include <string_view>

#include "abi/lona/protocol.hpp"
#include "abi/lona/realm_start.hpp"
#include "abi/sel4/invoke.hpp"

namespace lona::vm::platform {

[[nodiscard]] inline const abi::StartBlock& start_block() {
  return *reinterpret_cast<const abi::StartBlock*>(abi::kStartBlockAddress);
}

[[nodiscard]] inline abi::Status ask_manager(abi::Request request, unsigned length,
                                             const abi::MessageWords& words) {
  const abi::MessageInfo info(static_cast<std::uint64_t>(request), 0, 0, length);
  return static_cast<abi::Status>(abi::call(abi::kRealmSlotManager, info, words).info.label());
}

// Words of a request that may be longer than the registers, and of its answer.
struct Exchange {
  std::uint64_t words[abi::kMsgMaxLength];

  abi::Status ask(abi::Request request, unsigned length);
};

[[nodiscard]] inline abi::Status manager_map(abi::Address address, std::uint64_t count,
                                             unsigned page_bits) {
  return ask_manager(abi::Request::kMapPages, 3, {address, count, page_bits, 0});
}

[[nodiscard]] inline abi::Status manager_unmap(abi::Address address, std::uint64_t count,
                                               unsigned page_bits) {
  return ask_manager(abi::Request::kUnmapPages, 3, {address, count, page_bits, 0});
}

// In the words of platform.hpp.
enum class RealmError : std::uint8_t;
RealmError error_of(abi::Status status);

inline void manager_set_deadline(std::uint64_t tick) {
  (void)ask_manager(abi::Request::kSetDeadline, 1, {tick, 0, 0, 0});
}

// A line for the system's log; what is too long is cut off.
void manager_log(std::string_view text);

// With a text, which the realm's parent is told: why it cannot go on.
[[noreturn]] void manager_exit(std::uint64_t status, std::string_view text = {});

}  // namespace lona::vm::platform
