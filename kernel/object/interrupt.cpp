// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/object/interrupt.hpp"

#include "kernel/arch/arch.hpp"
#include "kernel/ipc/ipc.hpp"
#include "kernel/object/cnode.hpp"
#include "kernel/object/deletion.hpp"
#include "kernel/object/derivation.hpp"

namespace lona::kernel {

namespace {

struct Line {
  bool active;
  Slot notification;  // a cap the handler set, with the badge to signal
};
constinit Line lines[arch::kIrqCount] = {};

}  // namespace

bool irq_active(unsigned irq) {
  return irq < arch::kIrqCount && lines[irq].active;
}

const Slot& irq_notification_slot(unsigned irq) {
  return lines[irq].notification;
}

void issue_irq(unsigned irq, Slot& control, Slot& dest) {
  lines[irq].active = true;
  insert_child(control, dest, Cap::irq_handler(irq));
}

Progress delete_irq_notification(Word irq) {
  return delete_cap(lines[irq].notification);
}

void release_irq_handler(Word irq) {
  Line& line = lines[irq];
  line.active = false;
  arch::release_irq(static_cast<unsigned>(irq));
}

// The architecture holds further interrupts of the line back until it is acknowledged, so one that
// nobody listens for yet needs no masking here: the driver's first acknowledgement opens it.
void signal_irq(unsigned irq) {
  if (!irq_active(irq)) return;
  const Cap& cap = lines[irq].notification.cap;
  if (cap.is(CapType::kNotification)) send_signal(*cap.object<Notification>(), cap.badge());
}

Result<Done> decode_irq_control(Invocation& inv) {
  // Every controller here is an I/O APIC, for which the common method is not allowed.
  if (inv.label == abi::Label::kIrqIssueHandler) return fail(Failure::illegal_operation());
  return arch::decode_irq_control(inv);
}

Result<Done> decode_irq_handler(Invocation& inv) {
  const auto irq = static_cast<unsigned>(inv.cap.irq());
  Slot& target = lines[irq].notification;
  switch (inv.label) {
    case abi::Label::kIrqAck:
      arch::ack_irq(irq);
      return Done{};
    case abi::Label::kIrqSetHandler: {
      if (inv.too_short<abi::Label::kIrqSetHandler>()) return fail(Failure::truncated());
      Slot& source = *inv.extra[0];
      if (!source.cap.is(CapType::kNotification) || !source.cap.rights().write()) {
        return fail(Failure::invalid_capability(1));
      }
      if (delete_cap(target) == Progress::kPreempted) return Done{Done::kPreempted, 0};
      insert_copy(source, target, source.cap);
      return Done{};
    }
    case abi::Label::kIrqClearHandler:
      if (delete_cap(target) == Progress::kPreempted) return Done{Done::kPreempted, 0};
      return Done{};
    default:
      return fail(Failure::illegal_operation());
  }
}

}  // namespace lona::kernel
