// SPDX-License-Identifier: BSD-2-Clause
// For tests: the realms around a VM on the host. It is realm 1, child of realm 0; its child is
// realm 2, whose child is realm 3; realm 4 is beside it. What the others write is in the test's
// hand.
#pragma once

#include "base/byte_ring.hpp"
#include "vm/platform/platform.hpp"

namespace lona::vm::fake {

inline constexpr std::uint32_t kParent = 0, kSelf = 1, kChild = 2, kGrandchild = 3, kSibling = 4;
inline constexpr std::uint32_t kChildNumber = 0, kSiblingNumber = 1;

// Both are shared: the VM writes `out`, and reads `in`.
struct Channel {
  base::ByteRing out, in;
};
// Of a child's or sibling's number, or platform::kParent.
Channel& channel(std::uint32_t number);
// All are empty again.
void clear();

}  // namespace lona::vm::fake
