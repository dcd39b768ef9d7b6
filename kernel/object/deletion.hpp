// SPDX-License-Identifier: BSD-2-Clause
// Deleting and revoking capabilities, and ending objects with their last one.
#pragma once

#include "kernel/object/progress.hpp"
#include "kernel/object/slot.hpp"
#include "kernel/object/tcb.hpp"

namespace lona::kernel {

// Empties the slot. Preempted: some of the work is done and calling again goes on with it.
[[nodiscard]] Progress delete_cap(Slot& slot);
// Deletes everything derived from the slot's cap.
[[nodiscard]] Progress revoke(Slot& slot);
// Empties a slot of the kernel's own whose cap is never the last to a CNode or TCB, and not the
// last to an object where threads may wait.
void delete_cap_now(Slot& slot);

}  // namespace lona::kernel
