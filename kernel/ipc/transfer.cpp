// SPDX-License-Identifier: BSD-2-Clause
// What a message carries: words, capabilities, or the description of a fault.
#include "kernel/fault/fault.hpp"
#include "kernel/ipc/ipc.hpp"
#include "kernel/object/cnode.hpp"
#include "kernel/object/derivation.hpp"
#include "kernel/object/lookup.hpp"

namespace lona::kernel {

abi::IpcBuffer* ipc_buffer_of(Tcb& tcb, bool writable) {
  const Cap& frame = tcb.slots[Tcb::kIpcBuffer].cap;
  if (!frame.is(CapType::kPage) || frame.page_is_device()) return nullptr;
  const abi::CapRights rights = frame.rights();
  if (!rights.read() || (writable && !rights.write())) return nullptr;
  const Word mask = base::low_mask<Word>(page_size_bits(frame.page_size()));
  return reinterpret_cast<abi::IpcBuffer*>(frame.object<std::uint8_t>() + (tcb.ipc_buffer & mask));
}

base::Expected<ExtraCaps, ExtraCapFault> lookup_extra_caps(Tcb& sender) {
  ExtraCaps caps;
  const unsigned count = abi::MessageInfo(sender.context.msg_info()).extra_caps();
  if (count == 0) return caps;
  const abi::IpcBuffer* buffer = ipc_buffer_of(sender, false);
  if (buffer == nullptr) return caps;
  for (unsigned i = 0; i < count; ++i) {
    const Word pointer = buffer->caps_or_badges[i];
    const auto slot = lookup(sender, pointer);
    if (!slot) return fail(ExtraCapFault{pointer, slot.error()});
    caps.slots[caps.count++] = *slot;
  }
  return caps;
}

namespace {

// Where the receiver wants a capability; null if nowhere.
Slot* receive_slot(Tcb& receiver, const abi::IpcBuffer& buffer) {
  const auto root = lookup(receiver, buffer.receive_cnode);
  if (!root) return nullptr;
  const auto slot = lookup_target_slot((*root)->cap, buffer.receive_index, buffer.receive_depth);
  if (!slot || !(*slot)->empty()) return nullptr;
  return *slot;
}

struct Transferred {
  unsigned extra_caps = 0;
  unsigned unwrapped = 0;
};

// Manual, "Capability Transfer": caps to the endpoint itself arrive as badges, and one other cap
// may go into the receive slot; the first that cannot ends the transfer.
Transferred transfer_caps(const ExtraCaps& caps, Tcb& receiver, abi::IpcBuffer& buffer,
                          const Endpoint* endpoint) {
  Transferred done;
  Slot* dest = receive_slot(receiver, buffer);
  for (unsigned i = 0; i < caps.count; ++i) {
    Slot& source = *caps.slots[i];
    if (endpoint != nullptr && source.cap.is(CapType::kEndpoint) &&
        source.cap.object<Endpoint>() == endpoint) {
      buffer.caps_or_badges[i] = source.cap.badge();
      done.unwrapped |= 1u << i;
    } else {
      if (dest == nullptr) break;
      const auto cap = derive(source);
      if (!cap || cap->is_null()) break;
      insert_copy(source, *dest, *cap);
      dest = nullptr;
    }
    ++done.extra_caps;
  }
  return done;
}

unsigned transfer_words(Tcb& sender, const abi::IpcBuffer* from, Tcb& receiver, abi::IpcBuffer* to,
                        unsigned length) {
  if (length > abi::kMsgMaxLength) length = abi::kMsgMaxLength;
  const unsigned in_registers = length < abi::kMsgRegisters ? length : abi::kMsgRegisters;
  receiver.context.copy_message_registers(sender.context, length);
  if (length <= abi::kMsgRegisters) return length;
  if (from == nullptr || to == nullptr) return in_registers;
  copy_words(to->msg + abi::kMsgRegisters, from->msg + abi::kMsgRegisters,
             length - abi::kMsgRegisters);
  return length;
}

}  // namespace

void transfer_fault(Tcb& sender, Word badge, Tcb& receiver) {
  const unsigned length = describe_fault(sender, receiver);
  receiver.context.set_msg_info(
      abi::MessageInfo(static_cast<Word>(sender.fault.kind), 0, 0, length).raw());
  receiver.context.set_badge(badge);
}

void transfer_message(Tcb& sender, Word badge, bool can_grant, Tcb& receiver, Endpoint* endpoint) {
  if (sender.fault.kind != abi::FaultKind::kNull) {
    transfer_fault(sender, badge, receiver);
    return;
  }
  const abi::MessageInfo info(sender.context.msg_info());
  const bool needs_buffers = info.length() > abi::kMsgRegisters || info.extra_caps() != 0;
  abi::IpcBuffer* const from = needs_buffers ? ipc_buffer_of(sender, false) : nullptr;
  abi::IpcBuffer* const to = needs_buffers ? ipc_buffer_of(receiver, true) : nullptr;
  const unsigned length = transfer_words(sender, from, receiver, to, info.length());
  Transferred caps;
  if (can_grant && info.extra_caps() != 0 && to != nullptr) {
    const auto extra = lookup_extra_caps(sender);
    if (extra) caps = transfer_caps(*extra, receiver, *to, endpoint);
  }
  receiver.context.set_msg_info(
      abi::MessageInfo(info.label(), caps.unwrapped, caps.extra_caps, length).raw());
  receiver.context.set_badge(badge);
}

}  // namespace lona::kernel
