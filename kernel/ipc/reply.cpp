// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/fault/fault.hpp"
#include "kernel/ipc/ipc.hpp"
#include "kernel/ipc/reply_chain.hpp"
#include "kernel/sched/sched_context.hpp"
#include "kernel/sched/scheduler.hpp"

namespace lona::kernel {

namespace {

Word top_link(SchedContext& context) {
  return reinterpret_cast<Word>(&context) | 1;
}

// Joins the neighbours: a chain goes on without a call that was given up.
void unlink_from_chain(Reply& reply) {
  if (reply.is_top()) {
    reply.lent()->reply = reply.prev;
  } else if (reply.in_chain()) {
    reply.next_reply()->prev = reply.prev;
  }
  if (reply.prev != nullptr) reply.prev->next = reply.next;
  reply.prev = nullptr;
  reply.next = 0;
}

}  // namespace

void push_reply(Tcb& caller, Tcb& callee, Reply& reply, bool can_donate) {
  reply.tcb = &caller;
  caller.reply = &reply;
  caller.state = ThreadState::kBlockedOnReply;
  if (&caller == scheduler().current) reconsider_current();
  SchedContext* const context = caller.sched_context;
  if (!can_donate || context == nullptr || callee.sched_context != nullptr) return;
  reply.prev = context->reply;
  reply.next = top_link(*context);
  if (context->reply != nullptr) context->reply->next = reinterpret_cast<Word>(&reply);
  context->reply = &reply;
  donate(*context, callee);
}

void pop_reply(Reply& reply) {
  Tcb& caller = *reply.tcb;
  SchedContext* const context = reply.is_top() ? reply.lent() : nullptr;
  unlink_from_chain(reply);
  caller.reply = nullptr;
  reply.tcb = nullptr;
  if (context != nullptr && caller.sched_context == nullptr) donate(*context, caller);
}

void unlink_caller(Reply& reply) {
  unlink_from_chain(reply);
  if (reply.tcb != nullptr) reply.tcb->reply = nullptr;
  reply.tcb = nullptr;
}

void cancel_reply(Reply& reply) {
  Tcb* const tcb = reply.tcb;
  if (tcb == nullptr) {
    unlink_from_chain(reply);
    return;
  }
  if (tcb->state != ThreadState::kBlockedOnReply) {
    cancel_ipc(*tcb);
    return;
  }
  pop_reply(reply);
  tcb->fault.kind = abi::FaultKind::kNull;
  tcb->state = ThreadState::kInactive;
}

void send_reply(Tcb& sender, Reply& reply, bool can_grant) {
  Tcb* const receiver = reply.tcb;
  if (receiver == nullptr || receiver->state != ThreadState::kBlockedOnReply) return;
  pop_reply(reply);
  const abi::FaultKind fault = receiver->fault.kind;
  if (fault == abi::FaultKind::kNull) {
    transfer_message(sender, 0, can_grant, *receiver, nullptr);
    receiver->state = ThreadState::kRunning;
  } else {
    const bool restart = apply_fault_reply(*receiver, sender);
    receiver->fault.kind = abi::FaultKind::kNull;
    receiver->state = restart ? ThreadState::kRunning : ThreadState::kInactive;
  }
  SchedContext* const context = receiver->sched_context;
  if (context == nullptr || !receiver->runnable() || !context->configured()) return;
  wake_context(*context);
  // The context may have come back used up: that is a timeout of the thread it returned to.
  const RefillClock clock = scheduler().clock();
  const Scheduler& home = core_of(*context).scheduler;
  const Ticks used = context == home.current_context ? home.consumed : 0;
  if ((!refill_ready(*context, clock) || !refill_sufficient(*context, used, clock)) &&
      fault != abi::FaultKind::kTimeout && has_timeout_handler(*receiver)) {
    raise_timeout(*receiver);
    return;
  }
  resume_on_context(*receiver);
}

}  // namespace lona::kernel
