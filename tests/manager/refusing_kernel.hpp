// SPDX-License-Identifier: BSD-2-Clause
// Included before everything else in each file of one test's manager: its invocations of kernel
// objects ask first whether the kernel is to refuse this one (refusing_kernel.cpp).
#pragma once

#include "abi/sel4/invoke.hpp"
#include "abi/sel4/labels.hpp"
#include "abi/sel4/object_types.hpp"

namespace lona::abi {

[[nodiscard]] bool is_refused(MessageInfo info);

inline Message attempt(CPtr dest, MessageInfo info, const MessageWords& words = {}) {
  if (is_refused(info)) {
    return {MessageInfo(static_cast<Word>(Error::kNotEnoughMemory), 0, 0, 0), 0, {}};
  }
  return call(dest, info, words);
}

}  // namespace lona::abi

#define call attempt
#include "abi/sel4/objects.hpp"
#undef call

// Requests of this test's realms; see refusing_kernel.cpp.
enum : std::uint64_t { kRefuseRequest = 0x1f0, kStallRequest = 0x1f1, kOverRequest = 0x1f2 };
