// SPDX-License-Identifier: BSD-2-Clause
// Methods of CNodes, and what may become of a capability when it is copied.
#pragma once

#include "kernel/api/invocation.hpp"

namespace lona::kernel {

// The cap a copy of `slot` would hold; null where the type cannot be copied.
Result<Cap> derive(const Slot& slot);
// For a cap with changed rights or data, at the place of `slot` in the tree.
Result<Cap> derive(const Slot& slot, const Cap& cap);
// Takes rights away; caps without rights stay as they are.
Cap with_rights(const Cap& cap, abi::CapRights rights);
// Sets badge or guard; null where this is not allowed. `preserve`: a move, badges stay.
enum class Badge { kMaySet, kPreserve };
Cap with_data(const Cap& cap, Word data, Badge badge);

Result<Done> decode_cnode(Invocation& invocation);

}  // namespace lona::kernel
