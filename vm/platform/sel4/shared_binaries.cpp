// SPDX-License-Identifier: BSD-2-Clause
// Binaries that several realms share: requests to the manager, and where they are seen.
#include "vm/platform/shared_binaries.hpp"
#include "vm/platform/sel4/manager.hpp"

namespace lona::vm::platform {

static_assert(kBinaryPlaces == abi::kBinaryPlaces && kMostBinary == abi::kBinaryMax);
static_assert(kLeastBinary == abi::kLeastBinary && kNoRealm == abi::kNoRealm);

namespace {

struct Answer {
  RealmError error;
  std::uint64_t first, second, third;
};

Answer ask(abi::Request request, std::uint64_t first, std::uint64_t second) {
  const abi::MessageInfo info(static_cast<std::uint64_t>(request), 0, 0, 2);
  const abi::Message answer = abi::call(abi::kRealmSlotManager, info, {first, second, 0, 0});
  return {error_of(static_cast<abi::Status>(answer.info.label())), answer.words.mr0,
          answer.words.mr1, answer.words.mr2};
}

}  // namespace

SharedBinary make_binary(std::uint32_t realm, std::size_t bytes) {
  const Answer answer = ask(abi::Request::kMakeBinary, realm, bytes);
  return {.error = answer.error,
          .number = answer.first,
          .place = static_cast<std::uint32_t>(answer.second),
          .bytes = bytes,
          .dirty = answer.third};
}

RealmError give_binary(std::uint64_t number, std::uint32_t realm) {
  return ask(abi::Request::kGiveBinary, number, realm).error;
}

void take_back_binary(std::uint64_t number, std::uint32_t realm) {
  (void)ask(abi::Request::kTakeBackBinary, number, realm);
}

SharedBinary take_binary(std::uint64_t number, std::uint32_t from) {
  const Answer answer = ask(abi::Request::kTakeBinary, number, from);
  return {.error = answer.error,
          .number = number,
          .place = static_cast<std::uint32_t>(answer.first),
          .bytes = answer.second};
}

void drop_binary(std::uint64_t number, std::uint32_t from) {
  (void)ask(abi::Request::kDropBinary, number, from);
}

char* binary_window(std::uint32_t place) {
  return reinterpret_cast<char*>(abi::binary_window(place));
}

}  // namespace lona::vm::platform
