// SPDX-License-Identifier: BSD-2-Clause
// Methods of TCBs: what they check, and then do.
#include "kernel/arch/arch.hpp"
#include "kernel/fault/fault.hpp"
#include "kernel/ipc/ipc.hpp"
#include "kernel/object/cnode.hpp"
#include "kernel/object/deletion.hpp"
#include "kernel/object/derivation.hpp"
#include "kernel/object/thread.hpp"
#include "kernel/sched/sched_context.hpp"
#include "kernel/sched/scheduler.hpp"

namespace lona::kernel {

namespace {

Tcb& target_of(Invocation& inv) {
  return *inv.cap.object<Tcb>();
}

// --- Registers -----------------------------------------------------------------------------------

Result<Done> decode_read_registers(Invocation& inv) {
  if (inv.too_short<abi::Label::kTcbReadRegisters>()) return fail(Failure::truncated());
  const Word count = inv.arg(1);
  if (count < 1 || count > abi::kUserRegisterCount) {
    return fail(Failure::range(1, abi::kUserRegisterCount));
  }
  Tcb& tcb = target_of(inv);
  if (&tcb == &inv.caller) return fail(Failure::illegal_operation());

  if (inv.arg(0) & 1) suspend(tcb);
  if (!inv.is_call) return Done{};
  unsigned words = static_cast<unsigned>(count);
  if (inv.buffer == nullptr && words > abi::kMsgRegisters) words = abi::kMsgRegisters;
  abi::IpcBuffer* const buffer =
      words > abi::kMsgRegisters ? ipc_buffer_of(inv.caller, true) : nullptr;
  for (unsigned i = 0; i < words && i < abi::kMsgRegisters; ++i) {
    inv.caller.context.set_message_register(i, arch::read_register(tcb, i));
  }
  if (buffer != nullptr) {
    for (unsigned i = abi::kMsgRegisters; i < words; ++i) {
      buffer->msg[i] = arch::read_register(tcb, i);
    }
  }
  return Done{Done::kReply, words};
}

Result<Done> decode_write_registers(Invocation& inv) {
  if (inv.too_short<abi::Label::kTcbWriteRegisters>()) return fail(Failure::truncated());
  Word count = inv.arg(1);
  if (inv.length - 2 < count) return fail(Failure::truncated());
  Tcb& tcb = target_of(inv);
  if (&tcb == &inv.caller) return fail(Failure::illegal_operation());

  if (count > abi::kUserRegisterCount) count = abi::kUserRegisterCount;
  for (unsigned i = 0; i < count; ++i) arch::write_register(tcb, i, inv.arg(i + 2));
  if (inv.arg(0) & 1) restart(tcb);
  return Done{};
}

Result<Done> decode_copy_registers(Invocation& inv) {
  if (inv.too_short<abi::Label::kTcbCopyRegisters>()) return fail(Failure::truncated());
  if (!inv.extra[0]->cap.is(CapType::kTcb)) return fail(Failure::invalid_capability(1));
  enum : Word { kSuspendSource = 1, kResumeTarget = 2, kFrame = 4, kInteger = 8 };
  const Word flags = inv.arg(0);
  Tcb& to = target_of(inv);
  Tcb& from = *inv.extra[0]->cap.object<Tcb>();
  hold(from);

  if (flags & kSuspendSource) suspend(from);
  if (flags & kResumeTarget) restart(to);
  if (flags & kFrame) arch::copy_frame_registers(to, from);
  if (flags & kInteger) arch::copy_integer_registers(to, from);
  return Done{};
}

// --- Spaces --------------------------------------------------------------------------------------

// A cap to be put into one of the thread's own slots.
struct NewCap {
  Slot* source = nullptr;
  Cap cap = {};
};

void install(Tcb& tcb, Tcb::CapSlot which, const NewCap& from) {
  Slot& slot = tcb.slots[which];
  delete_cap_now(slot);
  if (from.source != nullptr && !from.cap.is_null() && !from.source->empty()) {
    insert_copy(*from.source, slot, from.cap);
  }
}

// Makes room for a new handler before anything else is done. The old one may be the last cap to an
// endpoint where many wait; then the call is made again.
Progress remove_handler(Tcb& tcb, Tcb::CapSlot which) {
  return delete_cap(tcb.slots[which]);
}
constexpr Done kAgain{Done::kPreempted, 0};

Result<NewCap> check_handler(Slot& slot, Word number) {
  if (!slot.empty() && !is_valid_handler(slot.cap)) {
    return fail(Failure::invalid_capability(number));
  }
  return NewCap{&slot, slot.cap};
}

Result<NewCap> check_cspace(const Tcb& tcb, Slot& slot, Word data) {
  if (is_long_running(tcb.slots[Tcb::kCSpace])) return fail(Failure::illegal_operation());
  Cap cap = slot.cap;
  if (data != 0) cap = with_data(cap, data, Badge::kMaySet);
  cap = TRY(derive(slot, cap));
  if (!cap.is(CapType::kCNode)) return fail(Failure::illegal_operation());
  return NewCap{&slot, cap};
}

Result<NewCap> check_vspace(Slot& slot, Word data) {
  Cap cap = slot.cap;
  if (data != 0) cap = with_data(cap, data, Badge::kMaySet);
  cap = TRY(derive(slot, cap));
  if (!arch::is_vspace_root(cap)) return fail(Failure::illegal_operation());
  return NewCap{&slot, cap};
}

Result<NewCap> check_buffer(Slot& slot, Word address) {
  if (address == 0) return NewCap{};
  const Cap cap = TRY(derive(slot));
  TRY(arch::check_ipc_buffer(address, cap));
  return NewCap{&slot, cap};
}

void set_buffer(Tcb& tcb, Word address, const NewCap& frame) {
  install(tcb, Tcb::kIpcBuffer, frame);
  tcb.ipc_buffer = address;
}

void set_spaces(Tcb& tcb, const NewCap& cspace, const NewCap& vspace) {
  install(tcb, Tcb::kCSpace, cspace);
  install(tcb, Tcb::kVSpace, vspace);
  // The running thread goes on in its new address space.
  if (&tcb == scheduler().current) arch::switch_to(tcb);
}

Result<Done> decode_configure(Invocation& inv) {
  if (inv.too_short<abi::Label::kTcbConfigure>()) return fail(Failure::truncated());
  Tcb& tcb = target_of(inv);
  const NewCap buffer = TRY(check_buffer(*inv.extra[2], inv.arg(2)));
  const NewCap cspace = TRY(check_cspace(tcb, *inv.extra[0], inv.arg(0)));
  const NewCap vspace = TRY(check_vspace(*inv.extra[1], inv.arg(1)));

  const Word address = inv.arg(2);
  set_spaces(tcb, cspace, vspace);
  set_buffer(tcb, address, buffer);
  return Done{};
}

Result<Done> decode_set_space(Invocation& inv) {
  if (inv.too_short<abi::Label::kTcbSetSpace>()) return fail(Failure::truncated());
  Tcb& tcb = target_of(inv);
  const NewCap handler = TRY(check_handler(*inv.extra[0], 1));
  const NewCap cspace = TRY(check_cspace(tcb, *inv.extra[1], inv.arg(0)));
  const NewCap vspace = TRY(check_vspace(*inv.extra[2], inv.arg(1)));

  if (remove_handler(tcb, Tcb::kFaultHandler) == Progress::kPreempted) return kAgain;
  install(tcb, Tcb::kFaultHandler, handler);
  set_spaces(tcb, cspace, vspace);
  return Done{};
}

Result<Done> decode_set_ipc_buffer(Invocation& inv) {
  if (inv.too_short<abi::Label::kTcbSetIpcBuffer>()) return fail(Failure::truncated());
  const Word address = inv.arg(0);
  const NewCap buffer = TRY(check_buffer(*inv.extra[0], address));
  set_buffer(target_of(inv), address, buffer);
  return Done{};
}

Result<Done> decode_set_timeout_endpoint(Invocation& inv) {
  if (inv.too_short<abi::Label::kTcbSetTimeoutEndpoint>()) return fail(Failure::truncated());
  const NewCap handler = TRY(check_handler(*inv.extra[0], 1));
  if (remove_handler(target_of(inv), Tcb::kTimeoutHandler) == Progress::kPreempted) return kAgain;
  install(target_of(inv), Tcb::kTimeoutHandler, handler);
  return Done{};
}

// --- Priorities
// ------------------------------------------------------------------------------------

Result<void> check_priority(const Slot& authority, Word priority) {
  if (!authority.cap.is(CapType::kTcb)) return fail(Failure::invalid_capability(1));
  const Word max = authority.cap.object<Tcb>()->max_controlled_priority;
  if (priority > max) return fail(Failure::range(abi::kMinPriority, max));
  return {};
}

void set_priority(Tcb& tcb, Word priority) {
  if (tcb.blocked()) reorder_queue(tcb, static_cast<unsigned>(priority));
  set_thread_priority(tcb, static_cast<unsigned>(priority));
}

Result<Done> decode_set_priority(Invocation& inv, bool max_controlled) {
  if (inv.too_short<abi::Label::kTcbSetPriority>()) return fail(Failure::truncated());
  const Word priority = inv.arg(0);
  TRY(check_priority(*inv.extra[0], priority));
  Tcb& tcb = target_of(inv);
  if (max_controlled) {
    tcb.max_controlled_priority = static_cast<std::uint8_t>(priority);
  } else {
    set_priority(tcb, priority);
  }
  return Done{};
}

// The scheduling context argument: one to bind, or null to unbind.
Result<SchedContext*> check_context(const Tcb& tcb, const Tcb& caller, const Cap& cap) {
  if (cap.is_null()) {
    if (&tcb == &caller) return fail(Failure::illegal_operation());
    return nullptr;
  }
  if (!cap.is(CapType::kSchedContext)) return fail(Failure::invalid_capability(2));
  auto& context = *cap.object<SchedContext>();
  if (tcb.sched_context != nullptr || context.tcb != nullptr) {
    return fail(Failure::illegal_operation());
  }
  if (tcb.blocked()) {
    const RefillClock clock = scheduler().clock();
    if (!context.configured() || !refill_ready(context, clock) ||
        !refill_sufficient(context, 0, clock)) {
      return fail(Failure::illegal_operation());
    }
  }
  return &context;
}

Result<Done> decode_set_sched_params(Invocation& inv) {
  if (inv.too_short<abi::Label::kTcbSetSchedParams>()) return fail(Failure::truncated());
  const Word max_controlled = inv.arg(0);
  const Word priority = inv.arg(1);
  Tcb& tcb = target_of(inv);
  TRY(check_priority(*inv.extra[0], max_controlled));
  TRY(check_priority(*inv.extra[0], priority));
  SchedContext* const context = TRY(check_context(tcb, inv.caller, inv.extra[1]->cap));
  const NewCap handler = TRY(check_handler(*inv.extra[2], 3));

  if (remove_handler(tcb, Tcb::kFaultHandler) == Progress::kPreempted) return kAgain;
  install(tcb, Tcb::kFaultHandler, handler);
  tcb.max_controlled_priority = static_cast<std::uint8_t>(max_controlled);
  set_priority(tcb, priority);
  if (context != nullptr) {
    bind_thread(*context, tcb);
  } else if (tcb.sched_context != nullptr) {
    unbind_thread(*tcb.sched_context);
  }
  return Done{};
}

// --- The rest
// --------------------------------------------------------------------------------------

Result<Done> decode_bind_notification(Invocation& inv) {
  if (inv.too_short<abi::Label::kTcbBindNotification>()) return fail(Failure::truncated());
  Tcb& tcb = target_of(inv);
  const Cap& cap = inv.extra[0]->cap;
  if (tcb.bound_notification != nullptr || !cap.is(CapType::kNotification) ||
      !cap.rights().read()) {
    return fail(Failure::illegal_operation());
  }
  auto& notification = *cap.object<Notification>();
  if (notification.bound_tcb != nullptr || !notification.queue.empty()) {
    return fail(Failure::illegal_operation());
  }
  bind_notification(tcb, notification);
  return Done{};
}

Result<Done> decode_set_flags(Invocation& inv) {
  if (inv.too_short<abi::Label::kTcbSetFlags>()) return fail(Failure::truncated());
  Tcb& tcb = target_of(inv);
  const Word flags = (tcb.flags & ~inv.arg(0)) | (inv.arg(1) & abi::kTcbFlagMask);
  if (flags != tcb.flags) {
    arch::release_fpu(tcb);
    tcb.flags = flags;
    if (&tcb == scheduler().current) arch::switch_to(tcb);
  }
  set_reply_word(inv.caller, 0, flags);
  return Done{Done::kReply, 1};
}

Result<Done> decode_set_tls_base(Invocation& inv) {
  if (inv.too_short<abi::Label::kTcbSetTlsBase>()) return fail(Failure::truncated());
  arch::set_tls_base(target_of(inv), inv.arg(0));
  return Done{};
}

}  // namespace

Result<Done> decode_tcb(Invocation& inv) {
  Tcb& tcb = target_of(inv);
  // All methods work on a thread that stands still.
  hold(tcb);
  switch (inv.label) {
    case abi::Label::kTcbReadRegisters:
      return decode_read_registers(inv);
    case abi::Label::kTcbWriteRegisters:
      return decode_write_registers(inv);
    case abi::Label::kTcbCopyRegisters:
      return decode_copy_registers(inv);
    case abi::Label::kTcbConfigure:
      return decode_configure(inv);
    case abi::Label::kTcbSetPriority:
      return decode_set_priority(inv, false);
    case abi::Label::kTcbSetMCPriority:
      return decode_set_priority(inv, true);
    case abi::Label::kTcbSetSchedParams:
      return decode_set_sched_params(inv);
    case abi::Label::kTcbSetTimeoutEndpoint:
      return decode_set_timeout_endpoint(inv);
    case abi::Label::kTcbSetIpcBuffer:
      return decode_set_ipc_buffer(inv);
    case abi::Label::kTcbSetSpace:
      return decode_set_space(inv);
    case abi::Label::kTcbSuspend:
      suspend(tcb);
      return Done{};
    case abi::Label::kTcbResume:
      restart(tcb);
      return Done{};
    case abi::Label::kTcbBindNotification:
      return decode_bind_notification(inv);
    case abi::Label::kTcbUnbindNotification:
      if (tcb.bound_notification == nullptr) return fail(Failure::illegal_operation());
      unbind_notification(tcb);
      return Done{};
    case abi::Label::kTcbSetTlsBase:
      return decode_set_tls_base(inv);
    case abi::Label::kTcbSetFlags:
      return decode_set_flags(inv);
    default:
      if constexpr (abi::kConfiguration.hardware_debug) return arch::decode_debug_method(inv);
      return fail(Failure::illegal_operation());
  }
}

}  // namespace lona::kernel
