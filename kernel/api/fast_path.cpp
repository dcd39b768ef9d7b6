// SPDX-License-Identifier: BSD-2-Clause
// The whole life of a Call, where nothing stands in its way: the server waits, it runs on its
// caller's time, no capability is carried, and nobody of higher priority is ready.
//
//   arch/x86_64/entry.S    saves the caller's registers into its TCB
//   fast_call              finds the endpoint and its waiting server, makes the caller wait for the
//                          answer, lends its scheduling context, copies the message
//   arch::switch_to        address space, FPU state and segment bases of the server
//   entry.S                loads the server's registers
//   fast_reply_receive     the same backwards: the answer, the context's return, and the server
//   waits
//                          at the endpoint again
//
// Everything else goes through dispatch.cpp, endpoint.cpp, reply.cpp and schedule(), which do the
// same with all cases; this file must never do what they would not.
//
// Time is not accounted here. The scheduling context stays the one that is charged, so what was
// used is found at the next other entry; and the deadline that ends its budget stays armed.
#include "kernel/api/fast_path.hpp"

#include "kernel/arch/arch.hpp"
#include "kernel/ipc/ipc.hpp"
#include "kernel/object/lookup.hpp"
#include "kernel/sched/core.hpp"

namespace lona::kernel {

namespace {

// Length and number of caps of a message, of which the second must be 0.
constexpr Word kShapeMask = 0x1ff;
static_assert(abi::MessageInfo(0, 0, 1, 0).raw() > abi::kMsgMaxLength);
constexpr Word kUnwrappedMask = abi::MessageInfo(0, 7, 0, 0).raw();

// The words that no register holds; false if there is no place for them. Nobody sees them before
// the message is complete, so this may come first.
[[gnu::noinline]] bool copy_long_message(Tcb& sender, Tcb& receiver, Word length) {
  const abi::IpcBuffer* const from = ipc_buffer_of(sender, false);
  abi::IpcBuffer* const to = ipc_buffer_of(receiver, true);
  if (from == nullptr || to == nullptr) return false;
  copy_words(to->msg + abi::kMsgRegisters, from->msg + abi::kMsgRegisters,
             length - abi::kMsgRegisters);
  return true;
}

void copy_message(const UserContext& from, UserContext& to, Word info, Word badge) {
  to.copy_message_registers(from, info & kShapeMask);
  to.set_msg_info(info & ~kUnwrappedMask);
  to.set_badge(badge);
}

// May `next` have the processor when `current` gives it up? Nobody ready stands above `current`.
bool is_next(const Scheduler& s, const Tcb& current, const Tcb& next) {
  if (next.priority >= current.priority) [[likely]]
    return true;
  return s.ready.empty() || s.ready.highest() <= next.priority;
}

Tcb* run(Scheduler& s, Tcb& next) {
  s.current = &next;
  arch::switch_to(next);
  return &next;
}

Word top_link(SchedContext& context) {
  return reinterpret_cast<Word>(&context) | 1;
}

void move_context(SchedContext& context, Tcb& from, Tcb& to) {
  context.tcb = &to;
  from.sched_context = nullptr;
  to.sched_context = &context;
}

// The server is the only one that waits, or waits behind the others.
void wait_at(Endpoint& endpoint, Tcb& server) {
  WaitQueue queue = endpoint.queue();
  if (queue.empty()) [[likely]] {
    server.queue_prev = server.queue_next = nullptr;
    queue = {&server, &server};
  } else {
    queue_insert(queue, server);
  }
  endpoint.set_queue(queue, Endpoint::State::kReceiving);
}

void take_first(Endpoint& endpoint, Tcb& receiver) {
  Tcb* const next = receiver.queue_next;
  WaitQueue queue{next, nullptr};
  if (next != nullptr) {
    next->queue_prev = nullptr;
    queue.tail = endpoint.queue().tail;
  }
  receiver.queue_next = nullptr;
  endpoint.set_queue(queue, Endpoint::State::kReceiving);
}

}  // namespace

Tcb* fast_call(Tcb& caller) {
  const Word info = caller.context.msg_info();
  const Word shape = info & kShapeMask;
  if (shape > abi::kMsgMaxLength) return nullptr;
  const Slot* const slot = lookup_one_level(caller, caller.context.cap_register());
  if (slot == nullptr || !slot->cap.is(CapType::kEndpoint)) return nullptr;
  const abi::CapRights rights = slot->cap.rights();
  if (!rights.write() || !(rights.grant() || rights.grant_reply())) return nullptr;
  auto& endpoint = *slot->cap.object<Endpoint>();
  if (endpoint.state() != Endpoint::State::kReceiving) return nullptr;
  Tcb& server = *endpoint.queue().head;
  Reply* const reply = server.reply;
  Scheduler& s = scheduler();
  if (reply == nullptr || server.sched_context != nullptr || server.core != caller.core ||
      !is_next(s, caller, server)) {
    return nullptr;
  }
  if (shape > abi::kMsgRegisters && !copy_long_message(caller, server, shape)) return nullptr;

  take_first(endpoint, server);
  server.reply = nullptr;
  server.state = ThreadState::kRunning;

  caller.state = ThreadState::kBlockedOnReply;
  caller.reply = reply;
  SchedContext& context = *caller.sched_context;
  Reply* const older = context.reply;
  reply->tcb = &caller;
  reply->prev = older;
  reply->next = top_link(context);
  if (older != nullptr) older->next = reinterpret_cast<Word>(reply);
  context.reply = reply;
  move_context(context, caller, server);

  copy_message(caller.context, server.context, info, slot->cap.badge());
  return run(s, server);
}

Tcb* fast_reply_receive(Tcb& server) {
  const Word info = server.context.msg_info();
  const Word shape = info & kShapeMask;
  if (shape > abi::kMsgMaxLength) return nullptr;
  const Slot* const reply_slot = lookup_one_level(server, server.context.reply_register());
  if (reply_slot == nullptr || !reply_slot->cap.is(CapType::kReply)) return nullptr;
  const Slot* const slot = lookup_one_level(server, server.context.cap_register());
  if (slot == nullptr || !slot->cap.is(CapType::kEndpoint) || !slot->cap.rights().read()) {
    return nullptr;
  }
  auto& endpoint = *slot->cap.object<Endpoint>();
  auto& reply = *reply_slot->cap.object<Reply>();
  Tcb* const caller = reply.tcb;
  // The context was lent through this call, so that it goes back now; that of the server is the one
  // that runs.
  if (endpoint.state() == Endpoint::State::kSending || server.bound_notification != nullptr ||
      caller == nullptr || !reply.is_top()) {
    return nullptr;
  }
  SchedContext& context = *reply.lent();
  Scheduler& s = scheduler();
  if (caller->state != ThreadState::kBlockedOnReply || caller->sched_context != nullptr ||
      caller->fault.kind != abi::FaultKind::kNull || &context != server.sched_context ||
      caller->core != server.core || !is_next(s, server, *caller)) {
    return nullptr;
  }
  if (shape > abi::kMsgRegisters && !copy_long_message(server, *caller, shape)) return nullptr;

  Reply* const older = reply.prev;
  context.reply = older;
  if (older != nullptr) older->next = top_link(context);
  reply.prev = nullptr;
  reply.next = 0;
  caller->reply = nullptr;
  caller->state = ThreadState::kRunning;
  move_context(context, server, *caller);

  reply.tcb = &server;
  server.reply = &reply;
  server.can_grant = slot->cap.rights().grant();
  server.blocked_on = &endpoint;
  server.state = ThreadState::kBlockedOnReceive;
  wait_at(endpoint, server);

  copy_message(server.context, caller->context, info, 0);
  return run(s, *caller);
}

}  // namespace lona::kernel
