// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/api/dispatch.hpp"

#include "kernel/arch/arch.hpp"
#include "kernel/fault/fault.hpp"
#include "kernel/ipc/ipc.hpp"
#include "kernel/object/cnode.hpp"
#include "kernel/object/interrupt.hpp"
#include "kernel/object/lookup.hpp"
#include "kernel/object/thread.hpp"
#include "kernel/object/untyped.hpp"
#include "kernel/sched/domain_schedule.hpp"
#include "kernel/sched/sched_context.hpp"
#include "kernel/sched/scheduler.hpp"

namespace lona::kernel {

void set_reply_word(Tcb& caller, unsigned index, Word value) {
  if (index < abi::kMsgRegisters) {
    caller.context.set_message_register(index, value);
  } else if (abi::IpcBuffer* buffer = ipc_buffer_of(caller, true)) {
    buffer->msg[index] = value;
  }
}

namespace {

Result<Done> send_on_endpoint(Invocation& inv) {
  const abi::CapRights rights = inv.cap.rights();
  if (!rights.write()) return fail(Failure::invalid_capability(0));
  send_ipc(inv.caller, *inv.cap.object<Endpoint>(),
           {.blocking = inv.is_blocking,
            .is_call = inv.is_call,
            .badge = inv.cap.badge(),
            .can_grant = rights.grant(),
            .can_grant_reply = rights.grant_reply(),
            .can_donate = inv.can_donate});
  return Done{Done::kSilent, 0};
}

Result<Done> send_on_notification(Invocation& inv) {
  if (!inv.cap.rights().write()) return fail(Failure::invalid_capability(0));
  send_signal(*inv.cap.object<Notification>(), inv.cap.badge());
  return Done{};
}

Result<Done> send_on_reply(Invocation& inv) {
  send_reply(inv.caller, *inv.cap.object<Reply>(), inv.cap.rights().grant());
  return Done{};
}

Result<Done> decode(Invocation& inv) {
  switch (inv.cap.type()) {
    case CapType::kEndpoint:
      return send_on_endpoint(inv);
    case CapType::kNotification:
      return send_on_notification(inv);
    case CapType::kReply:
      return send_on_reply(inv);
    case CapType::kNull:
    case CapType::kZombie:
      return fail(Failure::invalid_capability(0));
    default:
      break;
  }
  // Methods need the caller's whole attention: in the first phase of a receive they are refused.
  if (inv.first_phase) return fail(Failure::invalid_capability(0));
  switch (inv.cap.type()) {
    case CapType::kUntyped:
      return decode_untyped(inv);
    case CapType::kCNode:
      return decode_cnode(inv);
    case CapType::kTcb:
      return decode_tcb(inv);
    case CapType::kSchedContext:
      return decode_sched_context(inv);
    case CapType::kSchedControl:
      return decode_sched_control(inv);
    case CapType::kIrqControl:
      return decode_irq_control(inv);
    case CapType::kIrqHandler:
      return decode_irq_handler(inv);
    case CapType::kDomain:
      return decode_domain(inv);
    default:
      return arch::decode_invocation(inv);
  }
}

void reply_failure(Tcb& caller, const Failure& failure) {
  for (unsigned i = 0; i < failure.length; ++i) set_reply_word(caller, i, failure.words[i]);
  caller.context.set_badge(0);
  caller.context.set_msg_info(
      abi::MessageInfo(static_cast<Word>(failure.error), 0, 0, failure.length).raw());
}

}  // namespace

void invoke_cap(Tcb& caller, Word pointer, const SendFlags& flags) {
  const auto slot = lookup(caller, pointer);
  if (!slot) {
    if (flags.is_blocking) raise_cap_fault(caller, pointer, false, slot.error());
    return;
  }
  const abi::MessageInfo info(caller.context.msg_info());
  Invocation inv{.caller = caller,
                 .label = static_cast<abi::Label>(info.label()),
                 .length = info.length(),
                 .buffer = nullptr,
                 .slot = *slot,
                 .cap = (*slot)->cap,
                 .extra = {},
                 .extra_count = 0,
                 .is_call = flags.is_call,
                 .is_blocking = flags.is_blocking,
                 .can_donate = flags.can_donate,
                 .first_phase = flags.first_phase};
  if (info.extra_caps() != 0) {
    const auto extra = lookup_extra_caps(caller);
    if (!extra) {
      if (flags.is_blocking) {
        raise_cap_fault(caller, extra.error().pointer, false, extra.error().fault);
      }
      return;
    }
    inv.extra_count = extra->count;
    for (unsigned i = 0; i < extra->count; ++i) inv.extra[i] = extra->slots[i];
  }
  if (!inv.cap.is(CapType::kEndpoint) && !inv.cap.is(CapType::kNotification)) {
    inv.buffer = ipc_buffer_of(caller, false);
    if (inv.length > abi::kMsgMaxLength) inv.length = abi::kMsgMaxLength;
    if (inv.buffer == nullptr && inv.length > abi::kMsgRegisters) inv.length = abi::kMsgRegisters;
  }
  const Result<Done> done = decode(inv);
  if (!done) {
    if (flags.is_call) reply_failure(caller, done.error());
    return;
  }
  switch (done->kind) {
    case Done::kReply:
      if (flags.is_call) {
        caller.context.set_badge(0);
        caller.context.set_msg_info(abi::MessageInfo(0, 0, 0, done->words).raw());
      }
      return;
    case Done::kSilent:
      return;
    case Done::kPreempted:
      if (caller.runnable()) caller.context.restart();
      return;
  }
}

namespace {

void receive_on_endpoint(Tcb& caller, const Cap& cap, bool blocking, bool with_reply) {
  Reply* reply = nullptr;
  if (with_reply) {
    const Word pointer = caller.context.reply_register();
    const auto slot = lookup(caller, pointer);
    if (!slot) {
      raise_cap_fault(caller, pointer, true, slot.error());
      return;
    }
    if (!(*slot)->cap.is(CapType::kReply)) {
      raise_cap_fault(caller, pointer, true, LookupFault::missing(0));
      return;
    }
    reply = (*slot)->cap.object<Reply>();
  }
  receive_ipc(caller, *cap.object<Endpoint>(), reply,
              {.blocking = blocking, .can_grant = cap.rights().grant()});
}

}  // namespace

void receive_on(Tcb& caller, Word pointer, bool blocking, bool with_reply) {
  const auto slot = lookup(caller, pointer);
  if (!slot) {
    raise_cap_fault(caller, pointer, true, slot.error());
    return;
  }
  const Cap cap = (*slot)->cap;
  const bool may_read =
      (cap.is(CapType::kEndpoint) || cap.is(CapType::kNotification)) && cap.rights().read();
  if (may_read && cap.is(CapType::kEndpoint)) {
    receive_on_endpoint(caller, cap, blocking, with_reply);
    return;
  }
  if (may_read) {
    auto& notification = *cap.object<Notification>();
    if (notification.bound_tcb == nullptr || notification.bound_tcb == &caller) {
      receive_signal(caller, notification, blocking);
      return;
    }
  }
  raise_cap_fault(caller, pointer, true, LookupFault::missing(0));
}

}  // namespace lona::kernel
