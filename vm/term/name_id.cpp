// SPDX-License-Identifier: BSD-2-Clause
#include "vm/term/name_id.hpp"

#include <tomcrypt.h>

#include <bit>

#include "vm/platform/platform.hpp"

namespace lona::vm {

std::uint64_t name_id(std::string_view full) {
  static_assert(std::endian::native == std::endian::little);
  const auto check = [](int error) {
    if (error != CRYPT_OK) platform::panic("BLAKE2b refuses the text of a name");
  };
  std::uint64_t digest = 0;
  hash_state state;
  check(blake2b_init(&state, sizeof(digest), nullptr, 0));
  check(blake2b_process(&state, reinterpret_cast<const unsigned char*>(full.data()), full.size()));
  check(blake2b_done(&state, reinterpret_cast<unsigned char*>(&digest)));
  const std::uint64_t id = digest & ~Term::kTagMask;
  return id != 0 ? id : Term::kTagMask + 1;
}

}  // namespace lona::vm
