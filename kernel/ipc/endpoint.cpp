// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/ipc/ipc.hpp"
#include "kernel/ipc/reply_chain.hpp"
#include "kernel/sched/sched_context.hpp"
#include "kernel/sched/scheduler.hpp"

namespace lona::kernel {

namespace {

void block_on(Tcb& tcb, Endpoint& endpoint, ThreadState state) {
  tcb.state = state;
  tcb.blocked_on = &endpoint;
  WaitQueue queue = endpoint.queue();
  queue_insert(queue, tcb);
  endpoint.set_queue(queue, state == ThreadState::kBlockedOnSend ? Endpoint::State::kSending
                                                                 : Endpoint::State::kReceiving);
  if (&tcb == scheduler().current) reconsider_current();
}

// A preempted search for a badge. There is one for the whole kernel: if another begins meanwhile,
// the first starts from the front again, and what it has cancelled need not be done twice.
struct Search {
  Endpoint* endpoint = nullptr;
  Word badge = 0;
  Tcb* next = nullptr;  // waits at the endpoint
};
constinit Search search;

void leave_endpoint(Tcb& tcb) {
  if (search.next == &tcb) search.next = tcb.queue_next;
  auto& endpoint = *static_cast<Endpoint*>(tcb.blocked_on);
  WaitQueue queue = endpoint.queue();
  const Endpoint::State state = endpoint.state();
  queue_remove(queue, tcb);
  endpoint.set_queue(queue, state);
}

// The receiver no longer offers its reply object.
void withdraw_reply(Tcb& receiver) {
  if (receiver.reply != nullptr) {
    receiver.reply->tcb = nullptr;
    receiver.reply = nullptr;
  }
}

// After a rendezvous of a call, or of a fault, which counts as one.
void caller_waits(Tcb& caller, Tcb& callee, Reply* reply, bool may_reply, bool can_donate) {
  if (reply != nullptr && may_reply) {
    push_reply(caller, callee, *reply, can_donate);
  } else {
    // Nobody can answer: a fault ends with its message, and a later restart is no fault.
    caller.fault.kind = abi::FaultKind::kNull;
    caller.state = ThreadState::kInactive;
    if (&caller == scheduler().current) reconsider_current();
  }
}

}  // namespace

void send_ipc(Tcb& sender, Endpoint& endpoint, const SendOptions& options) {
  if (endpoint.state() != Endpoint::State::kReceiving) {
    if (!options.blocking) return;
    sender.badge = options.badge;
    sender.can_grant = options.can_grant;
    sender.can_grant_reply = options.can_grant_reply;
    sender.is_call = options.is_call;
    block_on(sender, endpoint, ThreadState::kBlockedOnSend);
    return;
  }
  Tcb& receiver = *endpoint.queue().head;
  leave_endpoint(receiver);
  transfer_message(sender, options.badge, options.can_grant, receiver, &endpoint);
  Reply* const reply = receiver.reply;
  withdraw_reply(receiver);
  receiver.state = ThreadState::kRunning;
  if (options.is_call || sender.fault.kind != abi::FaultKind::kNull) {
    caller_waits(sender, receiver, reply, options.can_grant || options.can_grant_reply,
                 options.can_donate);
  } else if (options.can_donate && receiver.sched_context == nullptr &&
             sender.sched_context != nullptr) {
    donate(*sender.sched_context, receiver);
  }
  wake_on_context(receiver);
}

void receive_ipc(Tcb& receiver, Endpoint& endpoint, Reply* reply, const ReceiveOptions& options) {
  // An answer still owed through this reply object can no longer be given.
  if (reply != nullptr && reply->tcb != nullptr && reply->tcb != &receiver) {
    cancel_ipc(*reply->tcb);
  }
  Notification* const bound = receiver.bound_notification;
  if (bound != nullptr) {
    if (bound->state == Notification::State::kActive) {
      receive_signal(receiver, *bound, false);
      return;
    }
    if (options.blocking) return_context(*bound, receiver);
  }
  if (endpoint.state() != Endpoint::State::kSending) {
    if (!options.blocking) {
      receiver.context.set_badge(0);
      return;
    }
    receiver.can_grant = options.can_grant;
    receiver.reply = reply;
    if (reply != nullptr) reply->tcb = &receiver;
    block_on(receiver, endpoint, ThreadState::kBlockedOnReceive);
    return;
  }
  Tcb& sender = *endpoint.queue().head;
  leave_endpoint(sender);
  transfer_message(sender, sender.badge, sender.can_grant, receiver, &endpoint);
  if (sender.sched_context != nullptr) wake_context(*sender.sched_context);
  if (sender.is_call || sender.fault.kind != abi::FaultKind::kNull) {
    const bool can_donate = sender.fault.kind != abi::FaultKind::kTimeout;
    caller_waits(sender, receiver, reply, sender.can_grant || sender.can_grant_reply, can_donate);
  } else {
    sender.state = ThreadState::kRunning;
    resume_on_context(sender);
  }
}

void cancel_ipc(Tcb& tcb) {
  switch (tcb.state) {
    case ThreadState::kBlockedOnSend:
    case ThreadState::kBlockedOnReceive:
      leave_endpoint(tcb);
      if (tcb.state == ThreadState::kBlockedOnReceive) withdraw_reply(tcb);
      break;
    case ThreadState::kBlockedOnNotification: {
      auto& notification = *static_cast<Notification*>(tcb.blocked_on);
      queue_remove(notification.queue, tcb);
      if (notification.queue.empty()) notification.state = Notification::State::kIdle;
      break;
    }
    case ThreadState::kBlockedOnReply:
      unlink_caller(*tcb.reply);
      break;
    default:
      return;
  }
  tcb.fault.kind = abi::FaultKind::kNull;
  tcb.state = ThreadState::kInactive;
}

namespace {

// A thread that waited with a fault has nobody to tell any more; others try again.
void restart_or_stop(Tcb& tcb) {
  if (tcb.state == ThreadState::kBlockedOnReceive) withdraw_reply(tcb);
  if (tcb.fault.kind != abi::FaultKind::kNull) {
    tcb.fault.kind = abi::FaultKind::kNull;
    tcb.state = ThreadState::kInactive;
    return;
  }
  tcb.context.restart();
  tcb.state = ThreadState::kRunning;
  wake_on_context(tcb);
}

}  // namespace

Progress cancel_all_ipc(Endpoint& endpoint, WorkMeter& work) {
  if (search.endpoint == &endpoint) search = Search{};
  Progress progress = Progress::kDone;
  while (endpoint.state() != Endpoint::State::kIdle) {
    if (work.must_stop(WorkMeter::kWakeThread)) {
      progress = Progress::kPreempted;
      break;
    }
    Tcb& tcb = *endpoint.queue().head;
    leave_endpoint(tcb);
    restart_or_stop(tcb);
  }
  reconsider_current();
  return progress;
}

Progress cancel_badged_sends(Endpoint& endpoint, Word badge) {
  if (endpoint.state() != Endpoint::State::kSending) return Progress::kDone;
  WorkMeter work;
  Tcb* next =
      search.endpoint == &endpoint && search.badge == badge ? search.next : endpoint.queue().head;
  search = Search{};
  while (next != nullptr) {
    Tcb& tcb = *next;
    const bool wanted = tcb.badge == badge;
    if (work.must_stop(wanted ? WorkMeter::kWakeThread : WorkMeter::kLook)) {
      search = {&endpoint, badge, &tcb};
      break;
    }
    next = tcb.queue_next;
    if (!wanted) continue;
    leave_endpoint(tcb);
    restart_or_stop(tcb);
  }
  reconsider_current();
  return search.endpoint == nullptr ? Progress::kDone : Progress::kPreempted;
}

void reorder_queue(Tcb& tcb, unsigned priority) {
  const auto move_in = [&tcb, priority](WaitQueue& queue) {
    queue_remove(queue, tcb);
    tcb.priority = static_cast<std::uint8_t>(priority);
    queue_insert(queue, tcb);
  };
  if (tcb.state == ThreadState::kBlockedOnNotification) {
    move_in(static_cast<Notification*>(tcb.blocked_on)->queue);
  } else if (tcb.state == ThreadState::kBlockedOnSend ||
             tcb.state == ThreadState::kBlockedOnReceive) {
    auto& endpoint = *static_cast<Endpoint*>(tcb.blocked_on);
    // It might move from behind the place of a search to before it.
    if (search.endpoint == &endpoint) search = Search{};
    WaitQueue queue = endpoint.queue();
    const Endpoint::State state = endpoint.state();
    move_in(queue);
    endpoint.set_queue(queue, state);
  }
}

}  // namespace lona::kernel
