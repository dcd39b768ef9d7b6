// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/sched/sched_context.hpp"

#include "kernel/arch/arch.hpp"
#include "kernel/sched/scheduler.hpp"

namespace lona::kernel {

namespace {

// A thread runs on the core of its context; one that just runs here goes on there.
void give(SchedContext& context, Tcb& tcb) {
  const bool moves = tcb.core != context.core;
  const bool runs = moves && core_of(tcb).scheduler.current == &tcb;
  if (moves) move_to_core(tcb, context.core);
  context.tcb = &tcb;
  tcb.sched_context = &context;
  if (runs) resume_on_context(tcb);
}

}  // namespace

void bind_thread(SchedContext& context, Tcb& tcb) {
  give(context, tcb);
  wake_on_context(tcb);
}

void unbind_thread(SchedContext& context) {
  Tcb* const tcb = context.tcb;
  if (tcb == nullptr) return;
  dequeue(*tcb);
  tcb->sched_context = nullptr;
  context.tcb = nullptr;
}

void donate(SchedContext& context, Tcb& to) {
  unbind_thread(context);
  give(context, to);
}

void lend_context(Notification& notification, Tcb& tcb) {
  SchedContext* const context = notification.sched_context;
  if (tcb.sched_context != nullptr || context == nullptr || context->tcb != nullptr) return;
  give(*context, tcb);
}

void return_context(Notification& notification, Tcb& tcb) {
  SchedContext* const context = notification.sched_context;
  if (context != nullptr && tcb.sched_context == context) unbind_thread(*context);
}

void bind_to_notification(SchedContext& context, Notification& notification) {
  context.notification = &notification;
  notification.sched_context = &context;
}

void unbind_from_notification(SchedContext& context) {
  if (context.notification == nullptr) return;
  context.notification->sched_context = nullptr;
  context.notification = nullptr;
}

void wake_context(SchedContext& context) {
  if (!context.configured() || !context.sporadic ||
      &context == core_of(context).scheduler.current_context) {
    return;
  }
  if (!context.queued) [[likely]]
    return refill_unblock(context, scheduler().clock());
  // Its time may have come in this very entry.
  release_remove(context);
  refill_unblock(context, scheduler().clock());
  release_insert(context);
}

void wake_on_context(Tcb& tcb) {
  if (tcb.sched_context == nullptr) return;
  wake_context(*tcb.sched_context);
  resume_on_context(tcb);
}

void complete_yield(Tcb& tcb) {
  SchedContext& context = *tcb.yield_to;
  set_reply_word(tcb, 0, take_consumed_us(context));
  tcb.context.set_msg_info(abi::MessageInfo(0, 0, 0, 1).raw());
  cancel_yield(tcb);
}

void cancel_yield(Tcb& tcb) {
  if (tcb.yield_to == nullptr) return;
  tcb.yield_to->yield_from = nullptr;
  tcb.yield_to = nullptr;
}

Word take_consumed_us(SchedContext& context) {
  if (context.tcb != nullptr) hold(*context.tcb);
  const Scheduler& s = core_of(context).scheduler;
  const Ticks running = &context == s.current_context ? s.consumed : 0;
  const Ticks consumed = context.consumed + running;
  // What runs but is not charged yet was told now: the later charge must not count it again.
  context.consumed = 0 - running;
  return consumed / arch::ticks_per_us();
}

namespace {

// The context is no longer what its core's time is charged to.
void leave_current_context(SchedContext& context) {
  Scheduler& s = core_of(context).scheduler;
  if (s.current_context != &context) return;
  s.current_context = nullptr;
  s.consumed = 0;
  s.reconsider = true;
}

void move_context(SchedContext& context, unsigned core) {
  if (context.core == core) return;
  release_remove(context);
  leave_current_context(context);
  context.core = static_cast<std::uint8_t>(core);
  if (context.tcb != nullptr) move_to_core(*context.tcb, core);
}

}  // namespace

void destroy_sched_context(SchedContext& context) {
  if (context.yield_from != nullptr) complete_yield(*context.yield_from);
  unbind_thread(context);
  unbind_from_notification(context);
  if (context.reply != nullptr) {
    context.reply->next = 0;
    context.reply = nullptr;
  }
  release_remove(context);
  context.refill_max = 0;
  leave_current_context(context);
}

// --- Methods
// ---------------------------------------------------------------------------------------

namespace {

bool has_time(SchedContext& context) {
  const RefillClock clock = scheduler().clock();
  return context.configured() && refill_ready(context, clock) &&
         refill_sufficient(context, 0, clock);
}

Result<Done> decode_bind(Invocation& inv, SchedContext& context) {
  if (inv.too_short<abi::Label::kSchedContextBind>()) return fail(Failure::truncated());
  const Cap& cap = inv.extra[0]->cap;
  if (cap.is(CapType::kTcb)) {
    Tcb& tcb = *cap.object<Tcb>();
    if (context.tcb != nullptr || tcb.sched_context != nullptr) {
      return fail(Failure::illegal_operation());
    }
    if (tcb.blocked() && !has_time(context)) return fail(Failure::illegal_operation());
    bind_thread(context, tcb);
    return Done{};
  }
  if (cap.is(CapType::kNotification)) {
    auto& notification = *cap.object<Notification>();
    if (context.notification != nullptr || notification.sched_context != nullptr) {
      return fail(Failure::illegal_operation());
    }
    bind_to_notification(context, notification);
    return Done{};
  }
  return fail(Failure::invalid_capability(1));
}

Result<Done> decode_unbind_object(Invocation& inv, SchedContext& context) {
  if (inv.too_short<abi::Label::kSchedContextUnbindObject>()) return fail(Failure::truncated());
  const Cap& cap = inv.extra[0]->cap;
  if (cap.is(CapType::kTcb)) {
    Tcb* const tcb = cap.object<Tcb>();
    if (context.tcb != tcb || tcb == &inv.caller) return fail(Failure::illegal_operation());
    unbind_thread(context);
    return Done{};
  }
  if (cap.is(CapType::kNotification)) {
    if (context.notification != cap.object<Notification>()) {
      return fail(Failure::illegal_operation());
    }
    unbind_from_notification(context);
    return Done{};
  }
  return fail(Failure::invalid_capability(1));
}

// The target goes first among its peers. One that cannot preempt the caller changes nothing for
// the caller, who is answered at once; otherwise the answer comes when the caller runs again.
Result<Done> invoke_yield_to(Invocation& inv, SchedContext& context) {
  Scheduler& s = scheduler();
  Tcb& target = *context.tcb;
  if (context.yield_from != nullptr) complete_yield(*context.yield_from);
  wake_context(context);
  if (schedulable(target) && target.core != inv.caller.core) {
    // It is first among its peers there; nobody waits here.
    Scheduler& there = core_of(target).scheduler;
    if (&target != there.current) {
      there.ready.remove(target);
      there.ready.prepend(target);
    }
  } else if (schedulable(target)) {
    s.ready.remove(target);
    if (target.priority < inv.caller.priority) {
      s.ready.prepend(target);
    } else {
      inv.caller.yield_to = &context;
      context.yield_from = &inv.caller;
      s.ready.prepend(inv.caller);
      s.ready.prepend(target);
      reconsider_current();
      return Done{Done::kSilent, 0};
    }
  }
  set_reply_word(inv.caller, 0, take_consumed_us(context));
  return Done{Done::kReply, 1};
}

Result<Done> decode_yield_to(Invocation& inv, SchedContext& context) {
  if (context.tcb == nullptr || context.tcb == &inv.caller ||
      context.tcb->priority > inv.caller.max_controlled_priority) {
    return fail(Failure::illegal_operation());
  }
  return invoke_yield_to(inv, context);
}

struct Parameters {
  Ticks budget;
  Ticks period;
  unsigned refills;
  Word badge;
  bool sporadic;
  unsigned core;
};

void invoke_configure(SchedContext& context, const Parameters& p) {
  const Scheduler& s = scheduler();
  Tcb* const tcb = context.tcb;
  if (tcb != nullptr) dequeue(*tcb);
  Core& old_core = core_of(context);
  if (&context == old_core.scheduler.current_context) charge_current(old_core);
  move_context(context, p.core);
  context.badge = p.badge;
  context.sporadic = p.sporadic;
  const Ticks period = p.budget == p.period ? 0 : p.period;
  const unsigned refills = period == 0 ? SchedContext::kMinRefills : p.refills;
  if (context.configured() && tcb != nullptr && tcb->runnable()) {
    refill_update(context, p.budget, period, refills, s.clock());
  } else {
    refill_start(context, p.budget, period, refills, s.now);
  }
  Scheduler& home = core_of(context).scheduler;
  home.reprogram = true;
  if (tcb == nullptr) return;
  if (tcb == home.current) {
    if (!has_time(context)) postpone(context);
  } else {
    resume_on_context(*tcb);
  }
}

}  // namespace

Result<Done> decode_sched_context(Invocation& inv) {
  auto& context = *inv.cap.object<SchedContext>();
  switch (inv.label) {
    case abi::Label::kSchedContextConsumed:
      set_reply_word(inv.caller, 0, take_consumed_us(context));
      return Done{Done::kReply, 1};
    case abi::Label::kSchedContextBind:
      return decode_bind(inv, context);
    case abi::Label::kSchedContextUnbind:
      if (context.tcb == &inv.caller) return fail(Failure::illegal_operation());
      unbind_thread(context);
      unbind_from_notification(context);
      return Done{};
    case abi::Label::kSchedContextUnbindObject:
      return decode_unbind_object(inv, context);
    case abi::Label::kSchedContextYieldTo:
      return decode_yield_to(inv, context);
    default:
      return fail(Failure::illegal_operation());
  }
}

Result<Done> decode_sched_control(Invocation& inv) {
  if (inv.label != abi::Label::kSchedControlConfigureFlags) {
    return fail(Failure::illegal_operation());
  }
  if (inv.too_short<abi::Label::kSchedControlConfigureFlags>()) return fail(Failure::truncated());
  const Word budget = inv.arg(0);
  const Word period = inv.arg(1);
  const Word extra_refills = inv.arg(2);
  const Cap& target = inv.extra[0]->cap;
  if (!target.is(CapType::kSchedContext)) return fail(Failure::invalid_capability(1));
  const Word max = max_period_us();
  if (budget < kMinBudgetUs || budget > max) return fail(Failure::range(kMinBudgetUs, max));
  if (period < kMinBudgetUs || period > max) return fail(Failure::range(kMinBudgetUs, max));
  if (budget > period) return fail(Failure::range(kMinBudgetUs, period));
  constexpr Word kIndexLimit = Word{1} << 31;
  Word extra_max = refill_capacity(target.sched_context_size_bits()) - SchedContext::kMinRefills;
  if (extra_max > kIndexLimit) extra_max = kIndexLimit;
  if (extra_refills > extra_max) return fail(Failure::range(0, extra_max));
  const Ticks per_us = arch::ticks_per_us();
  invoke_configure(
      *target.object<SchedContext>(),
      {budget * per_us, period * per_us,
       static_cast<unsigned>(extra_refills) + SchedContext::kMinRefills, inv.arg(3),
       (inv.arg(4) & abi::kSchedContextSporadic) != 0, static_cast<unsigned>(inv.cap.core())});
  return Done{};
}

}  // namespace lona::kernel
