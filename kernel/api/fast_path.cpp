// SPDX-License-Identifier: BSD-2-Clause
// The whole life of a Call, where nothing stands in its way: the server waits, and nobody of higher
// priority is ready.
//
//   arch/x86_64/entry.S    saves the caller's registers into its TCB
//   fast_call              finds the endpoint and its waiting server, makes the caller wait for the
//                          answer, copies the message, and lends its scheduling context to a server
//                          without one
//   arch::switch_to        address space, FPU state and segment bases of the server
//   entry.S                loads the server's registers
//   fast_reply_receive     the same backwards: the answer, the context's return, and the server
//   waits
//                          at the endpoint again
//
// A fault is a Call that the kernel makes for the thread. A signal may wake a waiting thread.
//
// Everything else goes through dispatch.cpp, endpoint.cpp, reply.cpp and schedule(), which do the
// same with all cases; this file must never do what they would not.
//
// Where a scheduling context is lent or comes back, time is not accounted: the context stays the
// one that is charged, so what was used is found at the next other entry; and the deadline that
// ends its budget stays armed.
#include "kernel/api/fast_path.hpp"

#include "kernel/arch/arch.hpp"
#include "kernel/fault/fault.hpp"
#include "kernel/ipc/ipc.hpp"
#include "kernel/object/lookup.hpp"
#include "kernel/sched/hand_over.hpp"

namespace lona::kernel {

namespace {

// --- Capabilities --------------------------------------------------------------------------------

// For who keeps capabilities in several CNodes; null where there is none.
Slot* slot_of(Tcb& thread, Word pointer) {
  if (Slot* const slot = lookup_one_level(thread, pointer)) [[likely]]
    return slot;
  const auto found = lookup(thread, pointer);
  return found ? *found : nullptr;
}

// --- Messages ------------------------------------------------------------------------------------

// Length and number of caps of a message.
constexpr Word kShapeMask = abi::MessageInfo(0, 0, 3, 127).raw();
constexpr Word kCapsMask = abi::MessageInfo(0, 0, 3, 0).raw();
constexpr Word kUnwrappedMask = abi::MessageInfo(0, 7, 0, 0).raw();

// The words that no register holds; false if there is no place for them. Nobody sees them before
// the message is complete, so this may come first.
[[gnu::noinline]] bool copy_long_message(Tcb& sender, Tcb& receiver, Word length) {
  if (length > abi::kMsgMaxLength) return false;
  const abi::IpcBuffer* const from = ipc_buffer_of(sender, false);
  abi::IpcBuffer* const to = ipc_buffer_of(receiver, true);
  if (from == nullptr || to == nullptr) return false;
  copy_words(to->msg + abi::kMsgRegisters, from->msg + abi::kMsgRegisters,
             length - abi::kMsgRegisters);
  return true;
}

// The same for a message without caps.
void copy_message(const UserContext& from, UserContext& to, Word info, Word badge) {
  to.copy_message_registers(from, info & kShapeMask);
  to.set_msg_info(info & ~kUnwrappedMask);
  to.set_badge(badge);
}

// --- Who runs next, and on whose time ------------------------------------------------------------

// May `next` have the processor when `current` gives it up? Nobody ready stands above `current`.
bool is_next(const Scheduler& s, const Tcb& current, const Tcb& next) {
  if (next.core != current.core || !s.ready.runs(next)) return false;
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

// --- Waiting at the endpoint ---------------------------------------------------------------------

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
    queue_first_gone(receiver, *next);
    queue.tail = endpoint.queue().tail;
  }
  receiver.queue_next = nullptr;
  endpoint.set_queue(queue, Endpoint::State::kReceiving);
}

// --- The halves of a call ------------------------------------------------------------------------

// The server that waits at the endpoint with a reply object, and can run now; or null.
[[gnu::always_inline]] inline Tcb* find_server(const Scheduler& s, const Tcb& caller,
                                               const Endpoint& endpoint, HandOver& plan) {
  if (endpoint.state() != Endpoint::State::kReceiving) return nullptr;
  Tcb& server = *endpoint.queue().head;
  if (server.reply == nullptr || !is_next(s, caller, server)) return nullptr;
  if (server.sched_context != nullptr && !plan_hand_over(s, server, plan)) return nullptr;
  return &server;
}

// The server has the reply object to answer with, and runs: on the caller's time, or on its own.
[[gnu::always_inline]] inline void meet(Scheduler& s, Tcb& caller, Endpoint& endpoint, Tcb& server,
                                        const HandOver& plan) {
  Reply& reply = *server.reply;
  take_first(endpoint, server);
  server.reply = nullptr;
  server.state = ThreadState::kRunning;
  caller.state = ThreadState::kBlockedOnReply;
  caller.reply = &reply;
  reply.tcb = &caller;
  if (server.sched_context != nullptr) return hand_over(s, *server.sched_context, plan);

  SchedContext& context = *caller.sched_context;
  Reply* const older = context.reply;
  reply.prev = older;
  reply.next = top_link(context);
  if (older != nullptr) older->next = reinterpret_cast<Word>(&reply);
  context.reply = &reply;
  move_context(context, caller, server);
}

// Out of the chain of calls, with its context if that was lent.
[[gnu::always_inline]] inline void part(Tcb& server, Tcb& caller, Reply& reply) {
  caller.reply = nullptr;
  caller.state = ThreadState::kRunning;
  if (!reply.in_chain()) return;
  SchedContext& context = *reply.lent();
  Reply* const older = reply.prev;
  context.reply = older;
  if (older != nullptr) older->next = top_link(context);
  reply.prev = nullptr;
  reply.next = 0;
  move_context(context, server, caller);
}

// The caller of `reply` can run when it is answered: its context comes back from the server, or it
// has one of its own.
[[gnu::always_inline]] inline bool can_answer(const Scheduler& s, const Tcb& server,
                                              const Tcb& caller, const Reply& reply,
                                              HandOver& plan) {
  if (caller.state != ThreadState::kBlockedOnReply || !is_next(s, server, caller)) return false;
  if (caller.sched_context != nullptr) return !reply.in_chain() && plan_hand_over(s, caller, plan);
  return reply.is_top() && reply.lent() == server.sched_context;
}

// Whether the thread goes on for certain with this answer to its fault.
bool resumes(const Fault& fault, Word info) {
  switch (fault.kind) {
    case abi::FaultKind::kVm:
    case abi::FaultKind::kCap:
      return true;
    case abi::FaultKind::kUnknownSyscall:
    case abi::FaultKind::kUserException:
      return abi::MessageInfo(info).label() == 0;
    default:
      return false;
  }
}

}  // namespace

Tcb* fast_call(Tcb& caller) {
  const Word info = caller.context.msg_info();
  const Slot* const slot = lookup_one_level(caller, caller.context.cap_register());
  if (slot == nullptr || !slot->cap.is(CapType::kEndpoint)) return nullptr;
  const abi::CapRights rights = slot->cap.rights();
  if (!rights.write() || !(rights.grant() || rights.grant_reply())) return nullptr;
  Scheduler& s = scheduler();
  auto& endpoint = *slot->cap.object<Endpoint>();
  HandOver plan;
  Tcb* const found = find_server(s, caller, endpoint, plan);
  if (found == nullptr) return nullptr;
  Tcb& server = *found;
  const Word shape = info & kShapeMask;
  const Word badge = slot->cap.badge();
  if (shape > abi::kMsgRegisters) {
    if ((shape & kCapsMask) != 0) {
      if (!lookup_extra_caps(caller)) return nullptr;
      meet(s, caller, endpoint, server, plan);
      transfer_message(caller, badge, rights.grant(), server, &endpoint);
      return run(s, server);
    }
    if (!copy_long_message(caller, server, shape)) return nullptr;
  }
  meet(s, caller, endpoint, server, plan);
  copy_message(caller.context, server.context, info, badge);
  return run(s, server);
}

Tcb* fast_fault(Tcb& tcb, abi::FaultKind kind, Word address, Word code, bool flag) {
  const Cap& handler = tcb.slots[Tcb::kFaultHandler].cap;
  if (!is_valid_handler(handler) || tcb.sched_context == nullptr) return nullptr;
  // Without a kind these mean nothing.
  tcb.fault.address = address;
  tcb.fault.code = code;
  tcb.fault.flag = flag;
  Scheduler& s = scheduler();
  auto& endpoint = *handler.object<Endpoint>();
  HandOver plan;
  Tcb* const server = find_server(s, tcb, endpoint, plan);
  if (server == nullptr) return nullptr;

  tcb.fault.kind = kind;
  meet(s, tcb, endpoint, *server, plan);
  transfer_fault(tcb, handler.badge(), *server);
  return run(s, *server);
}

Tcb* fast_reply_receive(Tcb& server) {
  const Word info = server.context.msg_info();
  const Slot* const reply_slot = slot_of(server, server.context.reply_register());
  if (reply_slot == nullptr || !reply_slot->cap.is(CapType::kReply)) return nullptr;
  const Slot* const slot = slot_of(server, server.context.cap_register());
  if (slot == nullptr || !slot->cap.is(CapType::kEndpoint) || !slot->cap.rights().read()) {
    return nullptr;
  }
  auto& endpoint = *slot->cap.object<Endpoint>();
  auto& reply = *reply_slot->cap.object<Reply>();
  if (endpoint.state() == Endpoint::State::kSending || server.bound_notification != nullptr ||
      reply.tcb == nullptr) {
    return nullptr;
  }
  Scheduler& s = scheduler();
  Tcb& caller = *reply.tcb;
  HandOver plan;
  if (!can_answer(s, server, caller, reply, plan)) return nullptr;
  const bool faulted = caller.fault.kind != abi::FaultKind::kNull;
  const Word shape = info & kShapeMask;
  if ((shape & kCapsMask) != 0 || (faulted && !resumes(caller.fault, info))) return nullptr;
  if (shape > abi::kMsgRegisters && !faulted && !copy_long_message(server, caller, shape)) {
    return nullptr;
  }

  const bool on_own_time = caller.sched_context != nullptr;
  part(server, caller, reply);
  if (faulted) [[unlikely]] {
    (void)apply_fault_reply(caller, server);
    caller.fault.kind = abi::FaultKind::kNull;
  } else {
    copy_message(server.context, caller.context, info, 0);
  }

  reply.tcb = &server;
  server.reply = &reply;
  server.can_grant = slot->cap.rights().grant();
  server.blocked_on = &endpoint;
  server.state = ThreadState::kBlockedOnReceive;
  wait_at(endpoint, server);
  if (on_own_time) hand_over(s, *caller.sched_context, plan);
  return run(s, caller);
}

// --- Signals -------------------------------------------------------------------------------------

namespace {

// A woken thread that does not get the processor at once; its context can be used without asking
// for the time again.
bool is_usable(const Scheduler& s, SchedContext& context) {
  return context.configured() && !context.queued && !context.sporadic &&
         refill_ready(context, s.clock()) && refill_sufficient(context, 0, s.clock());
}

void wake(Notification& notification, Tcb& tcb, Word badge) {
  if (tcb.state == ThreadState::kBlockedOnNotification) {
    queue_remove(notification.queue, tcb);
    if (notification.queue.empty()) notification.state = Notification::State::kIdle;
  } else {
    cancel_ipc(tcb);
  }
  tcb.state = ThreadState::kRunning;
  tcb.context.set_badge(badge);
}

Tcb* wake_and_choose(Tcb& current, Notification& notification, Tcb& tcb, Word badge) {
  Scheduler& s = scheduler();
  if (tcb.sched_context == nullptr || tcb.core != current.core || !s.ready.runs(tcb)) {
    return nullptr;
  }
  if (tcb.priority <= current.priority) {
    if (!is_usable(s, *tcb.sched_context)) return nullptr;
    wake(notification, tcb, badge);
    // As schedule() orders them: behind an equal, before those that wait at a lower priority.
    if (tcb.priority == current.priority) {
      s.ready.append(tcb);
    } else {
      s.ready.prepend(tcb);
    }
    return &current;
  }
  HandOver plan;
  if (!plan_hand_over(s, tcb, plan)) return nullptr;
  wake(notification, tcb, badge);
  s.ready.prepend(current);
  hand_over(s, *tcb.sched_context, plan);
  return run(s, tcb);
}

}  // namespace

Tcb* fast_signal(Tcb& current, Notification& notification, Word badge) {
  switch (notification.state) {
    case Notification::State::kActive:
      notification.word |= badge;
      return &current;
    case Notification::State::kWaiting:
      return wake_and_choose(current, notification, *notification.queue.head, badge);
    case Notification::State::kIdle: {
      Tcb* const bound = notification.bound_tcb;
      if (bound != nullptr && bound->state == ThreadState::kBlockedOnReceive) {
        return wake_and_choose(current, notification, *bound, badge);
      }
      notification.state = Notification::State::kActive;
      notification.word = badge;
      return &current;
    }
  }
  return nullptr;
}

Tcb* fast_send(Tcb& sender) {
  if ((sender.context.msg_info() & kCapsMask) != 0) return nullptr;
  const Slot* const slot = slot_of(sender, sender.context.cap_register());
  if (slot == nullptr || !slot->cap.is(CapType::kNotification) || !slot->cap.rights().write()) {
    return nullptr;
  }
  return fast_signal(sender, *slot->cap.object<Notification>(), slot->cap.badge());
}

// --- The end of a slice --------------------------------------------------------------------------

namespace {

// Who runs when the thread's round-robin slice ends: the next of its priority, or itself. Null if
// that takes more thought; another core may have changed things that this core has not been told
// of.
Tcb* after_slice(const Scheduler& s, Tcb& tcb) {
  if (tcb.sched_context == nullptr || tcb.sched_context != s.current_context) return nullptr;
  if (!is_round_robin(*s.current_context)) return nullptr;
  if (s.candidate != nullptr || s.reconsider || !tcb.runnable()) return nullptr;
  if (s.ready.empty() || s.ready.highest() < tcb.priority) return &tcb;
  Tcb* const next = s.ready.highest() == tcb.priority ? s.ready.first_of(tcb.priority) : nullptr;
  if (next == nullptr || next->sched_context->sporadic) return nullptr;
  // One that comes back from SchedContext_YieldTo gets its answer first.
  return next->yield_to == nullptr ? next : nullptr;
}

// The thread's next slice is a whole one, and begins behind its equals.
[[gnu::always_inline]] inline Tcb* end_slice(Scheduler& s, Tcb& tcb, Tcb& next, HandOver& plan) {
  tcb.sched_context->consumed += plan.used;
  end_round_robin_slice(*tcb.sched_context, plan.now);
  plan.used = 0;
  hand_over(s, *next.sched_context, plan);
  if (&next == &tcb) return &tcb;
  s.ready.remove(next);
  s.ready.append(tcb);
  return run(s, next);
}

}  // namespace

// Not inlined, so that a debugger can stop where a thread yields.
[[gnu::noinline]] Tcb* fast_yield(Tcb& tcb) {
  Scheduler& s = scheduler();
  HandOver plan;
  Tcb* const next = after_slice(s, tcb);
  if (next == nullptr || !plan_hand_over(s, *next, plan)) return nullptr;
  return end_slice(s, tcb, *next, plan);
}

Tcb* fast_timer() {
  Scheduler& s = scheduler();
  if (s.current == nullptr) return nullptr;
  HandOver plan;
  Tcb* const next = after_slice(s, *s.current);
  if (next == nullptr || !plan_next(s, *next, plan) || !slice_is_over(s, plan)) return nullptr;
  Tcb* const chosen = end_slice(s, *s.current, *next, plan);
  arm_deadline();
  return chosen;
}

}  // namespace lona::kernel
