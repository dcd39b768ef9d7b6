// SPDX-License-Identifier: BSD-2-Clause
// User-side invocations of kernel objects, one function per method, arguments in the order of the
// ABI. Message words beyond the fourth and cap arguments are placed in the caller's IPC buffer.
#pragma once

#include "abi/sel4/invoke.hpp"
#include "abi/sel4/labels.hpp"
#include "abi/sel4/object_types.hpp"

namespace lona::abi {

namespace detail {

// What to add to the labels of Page_Map and Page_Unmap, and to those after them, on the kernel this
// program runs on; see adopt_kernel_labels.
struct LabelShift {
  Word map = 0;
  Word rest = 0;
};
inline constinit LabelShift label_shift;

inline Word wire_label(Label label) {
  const auto number = static_cast<Word>(label);
  if (label >= Label::kX86PageGetAddress) return number + label_shift.rest;
  if (label >= Label::kX86PageMap) return number + label_shift.map;
  return number;
}

template <unsigned kCaps, unsigned kWords>
inline Message invoke(CPtr service, Label label, const CPtr (&caps)[kCaps],
                      const Word (&words)[kWords]) {
  static_assert(kCaps <= kMsgMaxExtraCaps && kWords <= kMsgMaxLength);
  IpcBuffer& buffer = ipc_buffer();
  for (unsigned i = 0; i < kCaps; ++i) buffer.caps_or_badges[i] = caps[i];
  MessageWords w;
  w.mr0 = words[0];
  if constexpr (kWords > 1) w.mr1 = words[1];
  if constexpr (kWords > 2) w.mr2 = words[2];
  if constexpr (kWords > 3) w.mr3 = words[3];
  for (unsigned i = kMsgRegisters; i < kWords; ++i) buffer.msg[i] = words[i];
  return call(service, MessageInfo(detail::wire_label(label), 0, kCaps, kWords), w);
}

template <unsigned kWords>
inline Message invoke(CPtr service, Label label, const Word (&words)[kWords]) {
  MessageWords w;
  w.mr0 = words[0];
  if constexpr (kWords > 1) w.mr1 = words[1];
  if constexpr (kWords > 2) w.mr2 = words[2];
  if constexpr (kWords > 3) w.mr3 = words[3];
  if constexpr (kWords > kMsgRegisters) {
    IpcBuffer& buffer = ipc_buffer();
    for (unsigned i = kMsgRegisters; i < kWords; ++i) buffer.msg[i] = words[i];
  }
  return call(service, MessageInfo(detail::wire_label(label), 0, 0, kWords), w);
}

template <unsigned kCaps>
inline Message invoke_caps(CPtr service, Label label, const CPtr (&caps)[kCaps]) {
  IpcBuffer& buffer = ipc_buffer();
  for (unsigned i = 0; i < kCaps; ++i) buffer.caps_or_badges[i] = caps[i];
  return call(service, MessageInfo(detail::wire_label(label), 0, kCaps, 0));
}

inline Message invoke(CPtr service, Label label) {
  return call(service, MessageInfo(detail::wire_label(label), 0, 0, 0));
}

}  // namespace detail

// The same program runs on kernels with and without IOMMU support, whose labels differ. To be
// called once, before any invocation of x86's pages, ports and interrupts, in each program.
inline void adopt_kernel_labels(bool with_iommu) {
  if (with_iommu == kWithIommu) return;
  const Word sign = with_iommu ? 1 : ~Word{0};
  detail::label_shift = {.map = 2 * sign, .rest = 3 * sign};
}

// Asks the kernel, by means of a cap to any page. The number that is Page_GetAddress with IOMMU
// support is one that pages refuse without it.
[[nodiscard]] inline bool kernel_has_iommu_labels(CPtr page) {
  constexpr Word kGetAddressWithIommu = 50;
  return call(page, MessageInfo(kGetAddressWithIommu, 0, 0, 0)).info.error() == Error::kNone;
}

// A slot of a CSpace: `depth` bits of `index`, resolved from the CNode cap `root`.
struct SlotAddress {
  CPtr root;
  Word index;
  unsigned depth;
};

// Error of an invocation and, where the method has one, its result.
struct WordResult {
  Error error;
  Word value;
};

// --- Untyped -------------------------------------------------------------------------------------
// The new caps go to slots offset … offset+count-1 of the CNode at `node` (depth 0: root itself).
[[nodiscard]] inline Error untyped_retype(CPtr untyped, ObjectType type, Word size_bits,
                                          SlotAddress node, Word offset, Word count) {
  return detail::invoke(
             untyped, Label::kUntypedRetype, {node.root},
             {static_cast<Word>(type), size_bits, node.index, Word{node.depth}, offset, count})
      .info.error();
}

// --- CNode ---------------------------------------------------------------------------------------
[[nodiscard]] inline Error cnode_revoke(SlotAddress slot) {
  return detail::invoke(slot.root, Label::kCNodeRevoke, {slot.index, Word{slot.depth}})
      .info.error();
}
[[nodiscard]] inline Error cnode_delete(SlotAddress slot) {
  return detail::invoke(slot.root, Label::kCNodeDelete, {slot.index, Word{slot.depth}})
      .info.error();
}
[[nodiscard]] inline Error cnode_cancel_badged_sends(SlotAddress slot) {
  return detail::invoke(slot.root, Label::kCNodeCancelBadgedSends, {slot.index, Word{slot.depth}})
      .info.error();
}
[[nodiscard]] inline Error cnode_copy(SlotAddress dest, SlotAddress src, CapRights rights) {
  return detail::invoke(dest.root, Label::kCNodeCopy, {src.root},
                        {dest.index, Word{dest.depth}, src.index, Word{src.depth}, rights.raw()})
      .info.error();
}
[[nodiscard]] inline Error cnode_mint(SlotAddress dest, SlotAddress src, CapRights rights,
                                      Word badge) {
  return detail::invoke(
             dest.root, Label::kCNodeMint, {src.root},
             {dest.index, Word{dest.depth}, src.index, Word{src.depth}, rights.raw(), badge})
      .info.error();
}
[[nodiscard]] inline Error cnode_move(SlotAddress dest, SlotAddress src) {
  return detail::invoke(dest.root, Label::kCNodeMove, {src.root},
                        {dest.index, Word{dest.depth}, src.index, Word{src.depth}})
      .info.error();
}
[[nodiscard]] inline Error cnode_mutate(SlotAddress dest, SlotAddress src, Word badge) {
  return detail::invoke(dest.root, Label::kCNodeMutate, {src.root},
                        {dest.index, Word{dest.depth}, src.index, Word{src.depth}, badge})
      .info.error();
}
[[nodiscard]] inline Error cnode_rotate(SlotAddress dest, Word dest_badge, SlotAddress pivot,
                                        Word pivot_badge, SlotAddress src) {
  return detail::invoke(dest.root, Label::kCNodeRotate, {pivot.root, src.root},
                        {dest.index, Word{dest.depth}, dest_badge, pivot.index, Word{pivot.depth},
                         pivot_badge, src.index, Word{src.depth}})
      .info.error();
}

// --- TCB -----------------------------------------------------------------------------------------
[[nodiscard]] inline Error tcb_configure(CPtr tcb, CPtr cspace, CNodeData cspace_data, CPtr vspace,
                                         Word buffer, CPtr buffer_frame) {
  return detail::invoke(tcb, Label::kTcbConfigure, {cspace, vspace, buffer_frame},
                        {cspace_data.raw(), Word{0}, buffer})
      .info.error();
}
[[nodiscard]] inline Error tcb_set_space(CPtr tcb, CPtr fault_endpoint, CPtr cspace,
                                         CNodeData cspace_data, CPtr vspace) {
  return detail::invoke(tcb, Label::kTcbSetSpace, {fault_endpoint, cspace, vspace},
                        {cspace_data.raw(), Word{0}})
      .info.error();
}
[[nodiscard]] inline Error tcb_set_ipc_buffer(CPtr tcb, Word buffer, CPtr frame) {
  return detail::invoke(tcb, Label::kTcbSetIpcBuffer, {frame}, {buffer}).info.error();
}
[[nodiscard]] inline Error tcb_set_priority(CPtr tcb, CPtr authority, Word priority) {
  return detail::invoke(tcb, Label::kTcbSetPriority, {authority}, {priority}).info.error();
}
[[nodiscard]] inline Error tcb_set_mc_priority(CPtr tcb, CPtr authority, Word mcp) {
  return detail::invoke(tcb, Label::kTcbSetMCPriority, {authority}, {mcp}).info.error();
}
[[nodiscard]] inline Error tcb_set_sched_params(CPtr tcb, CPtr authority, Word mcp, Word priority,
                                                CPtr sched_context, CPtr fault_endpoint) {
  return detail::invoke(tcb, Label::kTcbSetSchedParams, {authority, sched_context, fault_endpoint},
                        {mcp, priority})
      .info.error();
}
[[nodiscard]] inline Error tcb_set_timeout_endpoint(CPtr tcb, CPtr endpoint) {
  return detail::invoke_caps(tcb, Label::kTcbSetTimeoutEndpoint, {endpoint}).info.error();
}
[[nodiscard]] inline Error tcb_suspend(CPtr tcb) {
  return detail::invoke(tcb, Label::kTcbSuspend).info.error();
}
[[nodiscard]] inline Error tcb_resume(CPtr tcb) {
  return detail::invoke(tcb, Label::kTcbResume).info.error();
}
[[nodiscard]] inline Error tcb_bind_notification(CPtr tcb, CPtr notification) {
  return detail::invoke_caps(tcb, Label::kTcbBindNotification, {notification}).info.error();
}
[[nodiscard]] inline Error tcb_unbind_notification(CPtr tcb) {
  return detail::invoke(tcb, Label::kTcbUnbindNotification).info.error();
}
[[nodiscard]] inline Error tcb_set_tls_base(CPtr tcb, Word base) {
  return detail::invoke(tcb, Label::kTcbSetTlsBase, {base}).info.error();
}
// The value is the flags afterwards.
[[nodiscard]] inline WordResult tcb_set_flags(CPtr tcb, Word clear, Word set) {
  Message m = detail::invoke(tcb, Label::kTcbSetFlags, {clear, set});
  return {m.info.error(), m.words.mr0};
}
// Reads the first `count` words of `registers`.
[[nodiscard]] inline Error tcb_read_registers(CPtr tcb, bool suspend, Word count,
                                              UserRegisters& registers) {
  Message m = detail::invoke(tcb, Label::kTcbReadRegisters, {Word{suspend}, count});
  if (m.info.error() != Error::kNone) return m.info.error();
  const Word first[kMsgRegisters] = {m.words.mr0, m.words.mr1, m.words.mr2, m.words.mr3};
  Word* out = &registers.rip;
  for (unsigned i = 0; i < count && i < kUserRegisterCount; ++i) {
    out[i] = i < kMsgRegisters ? first[i] : ipc_buffer().msg[i];
  }
  return Error::kNone;
}
[[nodiscard]] inline Error tcb_write_registers(CPtr tcb, bool resume, Word count,
                                               const UserRegisters& registers) {
  const Word* in = &registers.rip;
  if (count > kUserRegisterCount) count = kUserRegisterCount;
  for (unsigned i = 2; i < count; ++i) ipc_buffer().msg[i + 2] = in[i];
  return call(tcb,
              MessageInfo(static_cast<Word>(Label::kTcbWriteRegisters), 0, 0,
                          static_cast<unsigned>(count) + 2),
              {Word{resume}, count, in[0], in[1]})
      .info.error();
}
[[nodiscard]] inline Error tcb_copy_registers(CPtr dest, CPtr source, bool suspend_source,
                                              bool resume_target, bool frame, bool integer) {
  const Word flags =
      Word{suspend_source} | Word{resume_target} << 1 | Word{frame} << 2 | Word{integer} << 3;
  return detail::invoke(dest, Label::kTcbCopyRegisters, {source}, {flags}).info.error();
}

// --- Scheduling ----------------------------------------------------------------------------------
// Budget and period in microseconds; equal ones make a round-robin context.
[[nodiscard]] inline Error sched_control_configure(CPtr control, CPtr sched_context, Word budget,
                                                   Word period, Word extra_refills, Word badge,
                                                   Word flags) {
  return detail::invoke(control, Label::kSchedControlConfigureFlags, {sched_context},
                        {budget, period, extra_refills, badge, flags})
      .info.error();
}
[[nodiscard]] inline Error sched_context_bind(CPtr sched_context, CPtr tcb_or_notification) {
  return detail::invoke_caps(sched_context, Label::kSchedContextBind, {tcb_or_notification})
      .info.error();
}
[[nodiscard]] inline Error sched_context_unbind(CPtr sched_context) {
  return detail::invoke(sched_context, Label::kSchedContextUnbind).info.error();
}
[[nodiscard]] inline Error sched_context_unbind_object(CPtr sched_context, CPtr object) {
  return detail::invoke_caps(sched_context, Label::kSchedContextUnbindObject, {object})
      .info.error();
}
// Microseconds consumed since last asked.
[[nodiscard]] inline WordResult sched_context_consumed(CPtr sched_context) {
  Message m = detail::invoke(sched_context, Label::kSchedContextConsumed);
  return {m.info.error(), m.words.mr0};
}
[[nodiscard]] inline WordResult sched_context_yield_to(CPtr sched_context) {
  Message m = detail::invoke(sched_context, Label::kSchedContextYieldTo);
  return {m.info.error(), m.words.mr0};
}
[[nodiscard]] inline Error domain_set(CPtr control, Word domain, CPtr tcb) {
  return detail::invoke(control, Label::kDomainSet, {tcb}, {domain}).info.error();
}

// --- Interrupts ----------------------------------------------------------------------------------
struct IoApicPin {
  Word io_apic;
  Word pin;
  Word level;     // 1: level triggered
  Word polarity;  // 1: active low
};
[[nodiscard]] inline Error irq_control_get_io_apic(CPtr control, SlotAddress dest, IoApicPin pin,
                                                   Word vector) {
  return detail::invoke(
             control, Label::kX86IrqIssueHandlerIoApic, {dest.root},
             {dest.index, Word{dest.depth}, pin.io_apic, pin.pin, pin.level, pin.polarity, vector})
      .info.error();
}
[[nodiscard]] inline Error irq_control_get_msi(CPtr control, SlotAddress dest, Word bus,
                                               Word device, Word function, Word handle,
                                               Word vector) {
  return detail::invoke(control, Label::kX86IrqIssueHandlerMsi, {dest.root},
                        {dest.index, Word{dest.depth}, bus, device, function, handle, vector})
      .info.error();
}
[[nodiscard]] inline Error irq_handler_ack(CPtr handler) {
  return detail::invoke(handler, Label::kIrqAck).info.error();
}
[[nodiscard]] inline Error irq_handler_set_notification(CPtr handler, CPtr notification) {
  return detail::invoke_caps(handler, Label::kIrqSetHandler, {notification}).info.error();
}
[[nodiscard]] inline Error irq_handler_clear(CPtr handler) {
  return detail::invoke(handler, Label::kIrqClearHandler).info.error();
}

// --- Address spaces ------------------------------------------------------------------------------
[[nodiscard]] inline Error pdpt_map(CPtr pdpt, CPtr pml4, Word vaddr,
                                    PageAttribute attribute = kDefaultPageAttribute) {
  return detail::invoke(pdpt, Label::kX86PdptMap, {pml4}, {vaddr, static_cast<Word>(attribute)})
      .info.error();
}
[[nodiscard]] inline Error pdpt_unmap(CPtr pdpt) {
  return detail::invoke(pdpt, Label::kX86PdptUnmap).info.error();
}
[[nodiscard]] inline Error page_directory_map(CPtr directory, CPtr vspace, Word vaddr,
                                              PageAttribute attribute = kDefaultPageAttribute) {
  return detail::invoke(directory, Label::kX86PageDirectoryMap, {vspace},
                        {vaddr, static_cast<Word>(attribute)})
      .info.error();
}
[[nodiscard]] inline Error page_directory_unmap(CPtr directory) {
  return detail::invoke(directory, Label::kX86PageDirectoryUnmap).info.error();
}
[[nodiscard]] inline Error page_table_map(CPtr table, CPtr vspace, Word vaddr,
                                          PageAttribute attribute = kDefaultPageAttribute) {
  return detail::invoke(table, Label::kX86PageTableMap, {vspace},
                        {vaddr, static_cast<Word>(attribute)})
      .info.error();
}
[[nodiscard]] inline Error page_table_unmap(CPtr table) {
  return detail::invoke(table, Label::kX86PageTableUnmap).info.error();
}
struct PageMapResult {
  Error error;
  Word lookup_bits;  // of kFailedLookup: kLookupNoPageTable, kLookupNoPageDirectory, kLookupNoPdpt
};
[[nodiscard]] inline PageMapResult page_map_or_level(
    CPtr page, CPtr vspace, Word vaddr, CapRights rights,
    PageAttribute attribute = kDefaultPageAttribute) {
  Message m = detail::invoke(page, Label::kX86PageMap, {vspace},
                             {vaddr, rights.raw(), static_cast<Word>(attribute)});
  return {m.info.error(), m.words.mr2};
}
[[nodiscard]] inline Error page_map(CPtr page, CPtr vspace, Word vaddr, CapRights rights,
                                    PageAttribute attribute = kDefaultPageAttribute) {
  return page_map_or_level(page, vspace, vaddr, rights, attribute).error;
}
[[nodiscard]] inline Error page_unmap(CPtr page) {
  return detail::invoke(page, Label::kX86PageUnmap).info.error();
}
[[nodiscard]] inline WordResult page_get_address(CPtr page) {
  Message m = detail::invoke(page, Label::kX86PageGetAddress);
  return {m.info.error(), m.words.mr0};
}
[[nodiscard]] inline Error asid_control_make_pool(CPtr control, CPtr untyped, SlotAddress dest) {
  return detail::invoke(control, Label::kX86AsidControlMakePool, {untyped, dest.root},
                        {dest.index, Word{dest.depth}})
      .info.error();
}
[[nodiscard]] inline Error asid_pool_assign(CPtr pool, CPtr vspace) {
  return detail::invoke_caps(pool, Label::kX86AsidPoolAssign, {vspace}).info.error();
}

// --- I/O ports -----------------------------------------------------------------------------------
// A cap to the ports first … last, both included.
[[nodiscard]] inline Error io_port_control_issue(CPtr control, Word first, Word last,
                                                 SlotAddress dest) {
  return detail::invoke(control, Label::kX86IoPortControlIssue, {dest.root},
                        {first, last, dest.index, Word{dest.depth}})
      .info.error();
}
[[nodiscard]] inline WordResult io_port_in8(CPtr ports, Word port) {
  Message m = detail::invoke(ports, Label::kX86IoPortIn8, {port});
  return {m.info.error(), m.words.mr0};
}
[[nodiscard]] inline WordResult io_port_in16(CPtr ports, Word port) {
  Message m = detail::invoke(ports, Label::kX86IoPortIn16, {port});
  return {m.info.error(), m.words.mr0};
}
[[nodiscard]] inline WordResult io_port_in32(CPtr ports, Word port) {
  Message m = detail::invoke(ports, Label::kX86IoPortIn32, {port});
  return {m.info.error(), m.words.mr0};
}
[[nodiscard]] inline Error io_port_out8(CPtr ports, Word port, Word data) {
  return detail::invoke(ports, Label::kX86IoPortOut8, {port, data}).info.error();
}
[[nodiscard]] inline Error io_port_out16(CPtr ports, Word port, Word data) {
  return detail::invoke(ports, Label::kX86IoPortOut16, {port, data}).info.error();
}
[[nodiscard]] inline Error io_port_out32(CPtr ports, Word port, Word data) {
  return detail::invoke(ports, Label::kX86IoPortOut32, {port, data}).info.error();
}

}  // namespace lona::abi
