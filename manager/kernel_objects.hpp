// SPDX-License-Identifier: BSD-2-Clause
// The two kernel operations that all accounting is built on, behind an interface so that the
// allocators run on the host against a model of the kernel.
#pragma once

#include "abi/sel4/object_types.hpp"
#include "abi/sel4/types.hpp"

namespace lona::manager {

// Slots are CPtrs of the manager's own CSpace.
class KernelObjects {
 public:
  // Makes `count` objects out of the untyped at `untyped`; caps to first_slot … and following.
  [[nodiscard]] virtual abi::Error retype(abi::CPtr untyped, abi::ObjectType type,
                                          unsigned size_bits, abi::CPtr first_slot,
                                          std::uint64_t count) = 0;
  // Deletes the cap in `slot`; the last cap to an object destroys it.
  [[nodiscard]] virtual abi::Error remove(abi::CPtr slot) = 0;

 protected:
  KernelObjects() = default;
  ~KernelObjects() = default;
};

}  // namespace lona::manager
