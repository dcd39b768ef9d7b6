// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/ipc/ipc.hpp"
#include "kernel/sched/sched_context.hpp"
#include "kernel/sched/scheduler.hpp"

namespace lona::kernel {

namespace {

void deliver(Tcb& tcb, Notification& notification, Word badge) {
  tcb.state = ThreadState::kRunning;
  tcb.context.set_badge(badge);
  lend_context(notification, tcb);
  wake_on_context(tcb);
}

}  // namespace

void send_signal(Notification& notification, Word badge) {
  switch (notification.state) {
    case Notification::State::kWaiting: {
      Tcb& tcb = *notification.queue.head;
      queue_remove(notification.queue, tcb);
      if (notification.queue.empty()) notification.state = Notification::State::kIdle;
      deliver(tcb, notification, badge);
      return;
    }
    case Notification::State::kActive:
      notification.word |= badge;
      return;
    case Notification::State::kIdle: {
      Tcb* const tcb = notification.bound_tcb;
      if (tcb != nullptr && tcb->state == ThreadState::kBlockedOnReceive) {
        cancel_ipc(*tcb);
        deliver(*tcb, notification, badge);
        return;
      }
      notification.state = Notification::State::kActive;
      notification.word = badge;
      return;
    }
  }
}

void receive_signal(Tcb& receiver, Notification& notification, bool blocking) {
  if (notification.state == Notification::State::kActive) {
    notification.state = Notification::State::kIdle;
    receiver.context.set_badge(notification.word);
    lend_context(notification, receiver);
    return;
  }
  if (!blocking) {
    receiver.context.set_badge(0);
    return;
  }
  receiver.state = ThreadState::kBlockedOnNotification;
  receiver.blocked_on = &notification;
  queue_insert(notification.queue, receiver);
  notification.state = Notification::State::kWaiting;
  if (&receiver == scheduler().current) reconsider_current();
  return_context(notification, receiver);
}

Progress cancel_all_signals(Notification& notification, WorkMeter& work) {
  Progress progress = Progress::kDone;
  while (notification.queue.head != nullptr) {
    if (work.must_stop(WorkMeter::kWakeThread)) {
      progress = Progress::kPreempted;
      break;
    }
    Tcb& tcb = *notification.queue.head;
    queue_remove(notification.queue, tcb);
    if (notification.queue.empty()) notification.state = Notification::State::kIdle;
    tcb.context.restart();
    tcb.state = ThreadState::kRunning;
    wake_on_context(tcb);
  }
  reconsider_current();
  return progress;
}

void bind_notification(Tcb& tcb, Notification& notification) {
  tcb.bound_notification = &notification;
  notification.bound_tcb = &tcb;
}

void unbind_notification(Tcb& tcb) {
  if (tcb.bound_notification == nullptr) return;
  tcb.bound_notification->bound_tcb = nullptr;
  tcb.bound_notification = nullptr;
}

}  // namespace lona::kernel
