// SPDX-License-Identifier: BSD-2-Clause
// Deleting and revoking capabilities, and ending objects with their last one.
#pragma once

#include "kernel/object/slot.hpp"
#include "kernel/object/tcb.hpp"

namespace lona::kernel {

enum class Progress { kDone, kPreempted };

// Empties the slot. Preempted: some of the work is done and calling again goes on with it.
[[nodiscard]] Progress delete_cap(Slot& slot);
// Deletes everything derived from the slot's cap.
[[nodiscard]] Progress revoke(Slot& slot);
// Empties a slot of the kernel's own whose cap is never the last to a CNode or TCB… and leaves a
// zombie behind for later if it is.
void delete_cap_now(Slot& slot);

}  // namespace lona::kernel
