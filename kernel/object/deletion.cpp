// SPDX-License-Identifier: BSD-2-Clause
// The last cap to a CNode or TCB cannot be deleted in one step: the slots inside must be emptied
// first, one by one, and an interrupt may come in between. Until that is done the slot holds a
// zombie, a cap that gives no authority and remembers how many slots may still be full.
//
// A slot inside may hold the last cap to another container. Its zombie is then exchanged with the
// first slot of that container, so that it holds itself and is out of reach; what was there is
// deleted instead (manual, "Deletion and Revocation"). Each exchange takes one container out of
// reach for good, so the work ends, and nothing recurses.
#include "kernel/object/deletion.hpp"

#include "kernel/arch/arch.hpp"
#include "kernel/ipc/ipc.hpp"
#include "kernel/object/derivation.hpp"
#include "kernel/object/interrupt.hpp"
#include "kernel/object/thread.hpp"
#include "kernel/sched/sched_context.hpp"

namespace lona::kernel {

namespace {

Slot* zombie_base(const Cap& zombie) {
  return zombie.zombie_is_tcb() ? zombie.object<Tcb>()->slots : zombie.object<Slot>();
}

// Before the object behind the last cap to it ends: nobody may wait for it any more. This is the
// only part of an ending that has no small bound.
Progress empty_queues(const Cap& cap, WorkMeter& work) {
  switch (cap.type()) {
    case CapType::kEndpoint:
      return cancel_all_ipc(*cap.object<Endpoint>(), work);
    case CapType::kNotification:
      return cancel_all_signals(*cap.object<Notification>(), work);
    case CapType::kIrqHandler:
      return delete_irq_notification(cap.irq());
    default:
      return Progress::kDone;
  }
}

void end_notification(Notification& notification) {
  if (notification.sched_context != nullptr) {
    unbind_from_notification(*notification.sched_context);
  }
  if (notification.bound_tcb != nullptr) unbind_notification(*notification.bound_tcb);
}

// Ends the object behind the last cap to it; what stays in the slot for now (a zombie or nothing).
Cap end_object(const Cap& cap) {
  switch (cap.type()) {
    case CapType::kNotification:
      end_notification(*cap.object<Notification>());
      return Cap();
    case CapType::kReply:
      cancel_reply(*cap.object<Reply>());
      return Cap();
    case CapType::kSchedContext:
      destroy_sched_context(*cap.object<SchedContext>());
      return Cap();
    case CapType::kTcb:
      destroy_thread(*cap.object<Tcb>());
      return Cap::zombie(cap.paddr(), Cap::kZombieTcb, Tcb::kSlots);
    case CapType::kCNode:
      return Cap::zombie(cap.paddr(), cap.radix(), Word{1} << cap.radix());
    case CapType::kIrqHandler:
      release_irq_handler(cap.irq());
      return Cap();
    case CapType::kZombie:
      return cap;
    default:
      return Cap();
  }
}

// One step for a slot that holds a cap: afterwards it is empty or holds a zombie. Preempted: it
// holds what it held.
Progress finalise_slot(Slot& slot, WorkMeter& work) {
  const bool final = is_final(slot);
  const Cap cap = slot.cap;
  if (final && empty_queues(cap, work) == Progress::kPreempted) return Progress::kPreempted;
  if (is_arch_type(cap.type())) arch::finalise(cap, final);
  const Cap rest = final ? end_object(cap) : Cap();
  if (rest.is_null()) {
    remove_slot(slot);
  } else {
    slot.cap = rest;
  }
  return Progress::kDone;
}

void exchange(Slot& a, Slot& b) {
  const Cap cap_a = a.cap;
  const Cap cap_b = b.cap;
  if (cap_b.is_null()) {
    move_slot(a, b, cap_a);
  } else {
    swap_slots(a, cap_b, b, cap_a);
  }
}

// One step towards an empty zombie in `slot`.
Progress reduce_zombie(Slot& slot, WorkMeter& work) {
  Slot* const base = zombie_base(slot.cap);
  const Word count = slot.cap.zombie_slots();
  if (count == 0) {
    remove_slot(slot);
    return Progress::kDone;
  }
  Slot& last = base[count - 1];
  if (&last == &slot) {
    // The zombie lies in its own container: alone at the front it may go, else it goes there.
    if (count == 1) {
      remove_slot(slot);
    } else {
      exchange(slot, *base);
    }
    return Progress::kDone;
  }
  if (last.empty()) {
    slot.cap.set_zombie_slots(count - 1);
    return Progress::kDone;
  }
  if (!last.cap.is(CapType::kZombie)) return finalise_slot(last, work);
  if (last.cap.zombie_slots() == 0) {
    remove_slot(last);
    return Progress::kDone;
  }
  Slot& first = *zombie_base(last.cap);
  if (&first == &last) {
    // It holds itself already, and its container is the one being emptied from behind: done.
    remove_slot(last);
  } else {
    exchange(last, first);
  }
  return Progress::kDone;
}

// What the next step costs.
WorkMeter::Cost cost_of(const Cap& cap) {
  const bool only_counts = cap.is(CapType::kZombie) && cap.zombie_slots() != 0 &&
                           zombie_base(cap)[cap.zombie_slots() - 1].empty();
  return only_counts ? WorkMeter::kEmptySlot : WorkMeter::kDeleteCap;
}

Progress delete_slot(Slot& slot, WorkMeter& work) {
  while (!slot.empty()) {
    if (work.must_stop(cost_of(slot.cap))) return Progress::kPreempted;
    const Progress progress =
        slot.cap.is(CapType::kZombie) ? reduce_zombie(slot, work) : finalise_slot(slot, work);
    if (progress == Progress::kPreempted) return progress;
  }
  return Progress::kDone;
}

// Can its children be nothing but caps to the same object, of which they are not the last?
bool has_copies_only(const Cap& cap) {
  switch (cap.type()) {
    case CapType::kEndpoint:
    case CapType::kNotification:
    case CapType::kReply:
    case CapType::kCNode:
    case CapType::kTcb:
    case CapType::kSchedContext:
      return true;
    default:
      return false;
  }
}

}  // namespace

Progress delete_cap(Slot& slot) {
  WorkMeter work;
  return delete_slot(slot, work);
}

Progress revoke(Slot& slot) {
  WorkMeter work;
  if (has_copies_only(slot.cap)) {
    if (!slot.node.original()) return Progress::kDone;
    while (!remove_copies(slot, WorkMeter::kCopiesPerStep)) {
      if (work.must_stop(WorkMeter::kRemoveCopies)) return Progress::kPreempted;
    }
    return Progress::kDone;
  }
  while (!slot.empty() && has_children(slot)) {
    if (delete_slot(*slot.node.next(), work) == Progress::kPreempted) return Progress::kPreempted;
  }
  return Progress::kDone;
}

void delete_cap_now(Slot& slot) {
  // Nobody waits for what ends here, so there is nothing that could be preempted.
  WorkMeter work;
  if (!slot.empty()) (void)finalise_slot(slot, work);
}

}  // namespace lona::kernel
