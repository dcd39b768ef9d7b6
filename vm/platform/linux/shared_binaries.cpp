// SPDX-License-Identifier: BSD-2-Clause
// On the host there is no other realm to share a binary with.
#include "vm/platform/shared_binaries.hpp"

namespace lona::vm::platform {

SharedBinary make_binary(std::uint32_t, std::size_t) {
  return {.error = RealmError::kUnsupported};
}
RealmError give_binary(std::uint64_t, std::uint32_t) {
  return RealmError::kUnsupported;
}
void take_back_binary(std::uint64_t, std::uint32_t) {}
SharedBinary take_binary(std::uint64_t, std::uint32_t) {
  return {};
}
void drop_binary(std::uint64_t, std::uint32_t) {}
char* binary_window(std::uint32_t) {
  return nullptr;
}

}  // namespace lona::vm::platform
