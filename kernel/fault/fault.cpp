// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/fault/fault.hpp"

#include "kernel/arch/arch.hpp"
#include "kernel/ipc/ipc.hpp"
#include "kernel/sched/sched_context.hpp"
#include "kernel/sched/scheduler.hpp"

namespace lona::kernel {

namespace {

void send_to_handler(Tcb& tcb, const Cap& handler, const Fault& fault, bool can_donate) {
  tcb.fault = fault;
  const abi::CapRights rights = handler.rights();
  send_ipc(tcb, *handler.object<Endpoint>(),
           {.blocking = true,
            .is_call = true,
            .badge = handler.badge(),
            .can_grant = rights.grant(),
            .can_grant_reply = true,
            .can_donate = can_donate});
}

void set_word(Tcb& tcb, abi::IpcBuffer* buffer, unsigned index, Word value) {
  if (index < abi::kMsgRegisters) {
    tcb.context.set_message_register(index, value);
  } else if (buffer != nullptr) {
    buffer->msg[index] = value;
  }
}

unsigned describe_cap_fault(const Fault& fault, Word ip, Word* words) {
  words[abi::cap_fault::kIp] = ip;
  words[abi::cap_fault::kAddress] = fault.address;
  words[abi::cap_fault::kInReceivePhase] = fault.flag;
  return abi::cap_fault::kLookupFailure +
         fault.lookup.describe(words + abi::cap_fault::kLookupFailure);
}

}  // namespace

bool is_valid_handler(const Cap& cap) {
  if (!cap.is(CapType::kEndpoint)) return false;
  const abi::CapRights rights = cap.rights();
  return rights.write() && (rights.grant() || rights.grant_reply());
}

void raise_fault(Tcb& tcb, const Fault& fault) {
  const Cap& handler = tcb.slots[Tcb::kFaultHandler].cap;
  if (!is_valid_handler(handler)) {
    tcb.state = ThreadState::kInactive;
    if (&tcb == scheduler().current) reconsider_current();
    return;
  }
  send_to_handler(tcb, handler, fault, tcb.sched_context != nullptr);
}

void raise_cap_fault(Tcb& tcb, Word pointer, bool receiving, const LookupFault& lookup) {
  Fault fault;
  fault.kind = abi::FaultKind::kCap;
  fault.address = pointer;
  fault.flag = receiving;
  fault.lookup = lookup;
  raise_fault(tcb, fault);
}

bool has_timeout_handler(const Tcb& tcb) {
  return is_valid_handler(tcb.slots[Tcb::kTimeoutHandler].cap);
}

void raise_timeout(Tcb& tcb) {
  Fault fault;
  fault.kind = abi::FaultKind::kTimeout;
  fault.address = tcb.sched_context->badge;
  dequeue(tcb);
  send_to_handler(tcb, tcb.slots[Tcb::kTimeoutHandler].cap, fault, false);
}

namespace {

// What lies in registers of the faulting thread goes into the message word by word.
unsigned describe_long_fault(Tcb& sender, Tcb& receiver) {
  const Fault& fault = sender.fault;
  abi::IpcBuffer* const buffer = ipc_buffer_of(receiver, true);
  if (fault.kind == abi::FaultKind::kUnknownSyscall) {
    unsigned length = abi::unknown_syscall::kLength;
    if (buffer == nullptr) length = abi::kMsgRegisters;
    arch::describe_unknown_syscall(sender, receiver, buffer);
    set_word(receiver, buffer, abi::unknown_syscall::kSyscall, fault.address);
    return length;
  }
  for (unsigned i = 0; i < abi::user_exception::kNumber; ++i) {
    set_word(receiver, buffer, i, arch::user_exception_word(sender, i));
  }
  set_word(receiver, buffer, abi::user_exception::kNumber, fault.address);
  set_word(receiver, buffer, abi::user_exception::kCode, fault.code);
  return buffer != nullptr ? abi::user_exception::kLength : abi::kMsgRegisters;
}

}  // namespace

unsigned describe_fault(Tcb& sender, Tcb& receiver) {
  const Fault& fault = sender.fault;
  if (fault.kind == abi::FaultKind::kVm) {
    UserContext& context = receiver.context;
    context.set_message_register(abi::vm_fault::kIp, sender.context.fault_ip);
    context.set_message_register(abi::vm_fault::kAddress, fault.address);
    context.set_message_register(abi::vm_fault::kInstruction, fault.flag);
    context.set_message_register(abi::vm_fault::kStatus, fault.code);
    static_assert(abi::vm_fault::kLength == abi::kMsgRegisters);
    return abi::vm_fault::kLength;
  }
  if (fault.kind == abi::FaultKind::kUnknownSyscall ||
      fault.kind == abi::FaultKind::kUserException) {
    return describe_long_fault(sender, receiver);
  }
  abi::IpcBuffer* const buffer = ipc_buffer_of(receiver, true);
  Word words[abi::kMsgRegisters + abi::cap_fault::kLookupFailure] = {};
  unsigned length = 0;
  switch (fault.kind) {
    case abi::FaultKind::kCap:
      length = describe_cap_fault(fault, sender.context.fault_ip, words);
      break;
    case abi::FaultKind::kDebug: {
      const Word reason = fault.code & 0xff;
      length = reason == abi::debug_exception::kSingleStep ? abi::debug_exception::kSingleStepLength
                                                           : abi::debug_exception::kLength;
      words[abi::debug_exception::kFaultIp] = sender.context.fault_ip;
      words[abi::debug_exception::kReason] = reason;
      words[abi::debug_exception::kAddress] = fault.address;
      words[abi::debug_exception::kBreakpoint] = fault.code >> 8;
      break;
    }
    case abi::FaultKind::kTimeout:
      length = abi::timeout_fault::kLength;
      words[abi::timeout_fault::kData] = fault.address;
      words[abi::timeout_fault::kConsumed] =
          sender.sched_context != nullptr ? take_consumed_us(*sender.sched_context) : 0;
      break;
    default:
      break;
  }
  if (buffer == nullptr && length > abi::kMsgRegisters) length = abi::kMsgRegisters;
  for (unsigned i = 0; i < length; ++i) set_word(receiver, buffer, i, words[i]);
  return length;
}

bool apply_fault_reply(Tcb& tcb, Tcb& handler) {
  const abi::MessageInfo info(handler.context.msg_info());
  const abi::IpcBuffer* const buffer = ipc_buffer_of(handler, false);
  auto word = [&](unsigned index) {
    return index < abi::kMsgRegisters ? handler.context.message_register(index)
                                      : buffer->msg[index];
  };
  unsigned length = info.length();
  if (buffer == nullptr && length > abi::kMsgRegisters) length = abi::kMsgRegisters;
  auto each = [&](unsigned limit, auto set) {
    for (unsigned i = 0; i < length && i < limit; ++i) set(tcb, i, word(i));
  };
  switch (tcb.fault.kind) {
    case abi::FaultKind::kUnknownSyscall:
      each(abi::unknown_syscall::kSyscall, arch::set_unknown_syscall_word);
      break;
    case abi::FaultKind::kUserException:
      each(abi::user_exception::kNumber, arch::set_user_exception_word);
      break;
    case abi::FaultKind::kDebug:
      if constexpr (abi::kConfiguration.hardware_debug) {
        const bool step = (tcb.fault.code & 0xff) == abi::debug_exception::kSingleStep;
        if (step && length != 0) arch::set_single_stepping(tcb, word(0));
      }
      break;
    case abi::FaultKind::kTimeout:
      each(abi::timeout_fault::kReplyLength, arch::write_register);
      break;
    default:
      break;
  }
  // For a capability or page fault any answer restarts; the others look at the label.
  const bool always =
      tcb.fault.kind == abi::FaultKind::kCap || tcb.fault.kind == abi::FaultKind::kVm;
  if (!always && info.label() != 0) return false;
  tcb.context.restart();
  return true;
}

}  // namespace lona::kernel
