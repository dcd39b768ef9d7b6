// SPDX-License-Identifier: BSD-2-Clause
// Binaries that several realms share: requests to the manager, and where they are seen.
#include "vm/platform/shared_binaries.hpp"
#include "vm/platform/sel4/manager.hpp"

namespace lona::vm::platform {

static_assert(kBinaryPlaces == abi::kBinaryPlaces && kMostBinary == abi::kBinaryMax);
static_assert(kLeastBinary == abi::kLeastBinary && kNoRealm == abi::kNoRealm);

namespace {

RealmError ask(abi::Request request, std::uint64_t number, std::uint32_t realm) {
  return error_of(ask_manager(request, 2, {number, realm, 0, 0}));
}

}  // namespace

SharedBinary make_binary(std::uint32_t realm, std::size_t bytes) {
  Exchange exchange{{realm, bytes}};
  return {.error = error_of(exchange.ask(abi::Request::kMakeBinary, 2)),
          .number = exchange.words[0],
          .place = static_cast<std::uint32_t>(exchange.words[1]),
          .bytes = bytes,
          .dirty = exchange.words[2]};
}

RealmError give_binary(std::uint64_t number, std::uint32_t realm) {
  return ask(abi::Request::kGiveBinary, number, realm);
}

void take_back_binary(std::uint64_t number, std::uint32_t realm) {
  (void)ask(abi::Request::kTakeBackBinary, number, realm);
}

SharedBinary take_binary(std::uint64_t number, std::uint32_t from) {
  Exchange exchange{{number, from}};
  return {.error = error_of(exchange.ask(abi::Request::kTakeBinary, 2)),
          .number = number,
          .place = static_cast<std::uint32_t>(exchange.words[0]),
          .bytes = exchange.words[1]};
}

void drop_binary(std::uint64_t number, std::uint32_t from) {
  (void)ask(abi::Request::kDropBinary, number, from);
}

char* binary_window(std::uint32_t place) {
  return reinterpret_cast<char*>(abi::binary_window(place));
}

}  // namespace lona::vm::platform
