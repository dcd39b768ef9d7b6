// SPDX-License-Identifier: BSD-2-Clause
// Interrupts as capabilities: who handles which line, and the notification it signals.
#pragma once

#include "kernel/api/invocation.hpp"
#include "kernel/object/progress.hpp"

namespace lona::kernel {

// Has a handler cap.
bool irq_active(unsigned irq);
// Where the line keeps the capability of the notification that it signals.
const Slot& irq_notification_slot(unsigned irq);
// Makes the handler cap of a free line. `control` is the slot of the IRQControl cap used.
void issue_irq(unsigned irq, Slot& control, Slot& dest);
// Empties that slot.
[[nodiscard]] Progress delete_irq_notification(Word irq);
// The last handler cap of the line goes, with its notification deleted before.
void release_irq_handler(Word irq);
// The line interrupted.
void signal_irq(unsigned irq);

Result<Done> decode_irq_control(Invocation& invocation);
Result<Done> decode_irq_handler(Invocation& invocation);

}  // namespace lona::kernel
