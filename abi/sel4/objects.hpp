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

// Each stub names its method, and is held against that method's line in methods.def.
template <Label kLabel, unsigned kCaps, unsigned kWords>
inline Message invoke(CPtr service, const CPtr (&caps)[kCaps], const Word (&words)[kWords]) {
  static_assert(info_of(kLabel).caps == kCaps && info_of(kLabel).words == kWords);
  IpcBuffer& buffer = ipc_buffer();
  for (unsigned i = 0; i < kCaps; ++i) buffer.caps_or_badges[i] = caps[i];
  MessageWords w;
  w.mr0 = words[0];
  if constexpr (kWords > 1) w.mr1 = words[1];
  if constexpr (kWords > 2) w.mr2 = words[2];
  if constexpr (kWords > 3) w.mr3 = words[3];
  for (unsigned i = kMsgRegisters; i < kWords; ++i) buffer.msg[i] = words[i];
  return call(service, MessageInfo(wire_label(kLabel), 0, kCaps, kWords), w);
}

template <Label kLabel, unsigned kWords>
inline Message invoke(CPtr service, const Word (&words)[kWords]) {
  static_assert(info_of(kLabel).caps == 0 && info_of(kLabel).words == kWords);
  MessageWords w;
  w.mr0 = words[0];
  if constexpr (kWords > 1) w.mr1 = words[1];
  if constexpr (kWords > 2) w.mr2 = words[2];
  if constexpr (kWords > 3) w.mr3 = words[3];
  if constexpr (kWords > kMsgRegisters) {
    IpcBuffer& buffer = ipc_buffer();
    for (unsigned i = kMsgRegisters; i < kWords; ++i) buffer.msg[i] = words[i];
  }
  return call(service, MessageInfo(wire_label(kLabel), 0, 0, kWords), w);
}

template <Label kLabel, unsigned kCaps>
inline Message invoke_caps(CPtr service, const CPtr (&caps)[kCaps]) {
  static_assert(info_of(kLabel).caps == kCaps && info_of(kLabel).words == 0);
  IpcBuffer& buffer = ipc_buffer();
  for (unsigned i = 0; i < kCaps; ++i) buffer.caps_or_badges[i] = caps[i];
  return call(service, MessageInfo(wire_label(kLabel), 0, kCaps, 0));
}

template <Label kLabel>
inline Message invoke(CPtr service) {
  static_assert(info_of(kLabel).caps == 0 && info_of(kLabel).words == 0);
  return call(service, MessageInfo(wire_label(kLabel), 0, 0, 0));
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
  constexpr Word kGetAddressWithIommu = label_number(Method::X86PageGetAddress, {.iommu = true});
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
  return detail::invoke<Label::kUntypedRetype>(
             untyped, {node.root},
             {static_cast<Word>(type), size_bits, node.index, Word{node.depth}, offset, count})
      .info.error();
}

// --- CNode ---------------------------------------------------------------------------------------
[[nodiscard]] inline Error cnode_revoke(SlotAddress slot) {
  return detail::invoke<Label::kCNodeRevoke>(slot.root, {slot.index, Word{slot.depth}})
      .info.error();
}
[[nodiscard]] inline Error cnode_delete(SlotAddress slot) {
  return detail::invoke<Label::kCNodeDelete>(slot.root, {slot.index, Word{slot.depth}})
      .info.error();
}
[[nodiscard]] inline Error cnode_cancel_badged_sends(SlotAddress slot) {
  return detail::invoke<Label::kCNodeCancelBadgedSends>(slot.root, {slot.index, Word{slot.depth}})
      .info.error();
}
[[nodiscard]] inline Error cnode_copy(SlotAddress dest, SlotAddress src, CapRights rights) {
  return detail::invoke<Label::kCNodeCopy>(
             dest.root, {src.root},
             {dest.index, Word{dest.depth}, src.index, Word{src.depth}, rights.raw()})
      .info.error();
}
[[nodiscard]] inline Error cnode_mint(SlotAddress dest, SlotAddress src, CapRights rights,
                                      Word badge) {
  return detail::invoke<Label::kCNodeMint>(
             dest.root, {src.root},
             {dest.index, Word{dest.depth}, src.index, Word{src.depth}, rights.raw(), badge})
      .info.error();
}
[[nodiscard]] inline Error cnode_move(SlotAddress dest, SlotAddress src) {
  return detail::invoke<Label::kCNodeMove>(
             dest.root, {src.root}, {dest.index, Word{dest.depth}, src.index, Word{src.depth}})
      .info.error();
}
[[nodiscard]] inline Error cnode_mutate(SlotAddress dest, SlotAddress src, Word badge) {
  return detail::invoke<Label::kCNodeMutate>(
             dest.root, {src.root},
             {dest.index, Word{dest.depth}, src.index, Word{src.depth}, badge})
      .info.error();
}
[[nodiscard]] inline Error cnode_rotate(SlotAddress dest, Word dest_badge, SlotAddress pivot,
                                        Word pivot_badge, SlotAddress src) {
  return detail::invoke<Label::kCNodeRotate>(
             dest.root, {pivot.root, src.root},
             {dest.index, Word{dest.depth}, dest_badge, pivot.index, Word{pivot.depth}, pivot_badge,
              src.index, Word{src.depth}})
      .info.error();
}

// --- TCB -----------------------------------------------------------------------------------------
[[nodiscard]] inline Error tcb_configure(CPtr tcb, CPtr cspace, CNodeData cspace_data, CPtr vspace,
                                         Word buffer, CPtr buffer_frame) {
  return detail::invoke<Label::kTcbConfigure>(tcb, {cspace, vspace, buffer_frame},
                                              {cspace_data.raw(), Word{0}, buffer})
      .info.error();
}
[[nodiscard]] inline Error tcb_set_space(CPtr tcb, CPtr fault_endpoint, CPtr cspace,
                                         CNodeData cspace_data, CPtr vspace) {
  return detail::invoke<Label::kTcbSetSpace>(tcb, {fault_endpoint, cspace, vspace},
                                             {cspace_data.raw(), Word{0}})
      .info.error();
}
[[nodiscard]] inline Error tcb_set_ipc_buffer(CPtr tcb, Word buffer, CPtr frame) {
  return detail::invoke<Label::kTcbSetIpcBuffer>(tcb, {frame}, {buffer}).info.error();
}
[[nodiscard]] inline Error tcb_set_priority(CPtr tcb, CPtr authority, Word priority) {
  return detail::invoke<Label::kTcbSetPriority>(tcb, {authority}, {priority}).info.error();
}
[[nodiscard]] inline Error tcb_set_mc_priority(CPtr tcb, CPtr authority, Word mcp) {
  return detail::invoke<Label::kTcbSetMCPriority>(tcb, {authority}, {mcp}).info.error();
}
[[nodiscard]] inline Error tcb_set_sched_params(CPtr tcb, CPtr authority, Word mcp, Word priority,
                                                CPtr sched_context, CPtr fault_endpoint) {
  return detail::invoke<Label::kTcbSetSchedParams>(tcb, {authority, sched_context, fault_endpoint},
                                                   {mcp, priority})
      .info.error();
}
[[nodiscard]] inline Error tcb_set_timeout_endpoint(CPtr tcb, CPtr endpoint) {
  return detail::invoke_caps<Label::kTcbSetTimeoutEndpoint>(tcb, {endpoint}).info.error();
}
[[nodiscard]] inline Error tcb_suspend(CPtr tcb) {
  return detail::invoke<Label::kTcbSuspend>(tcb).info.error();
}
[[nodiscard]] inline Error tcb_resume(CPtr tcb) {
  return detail::invoke<Label::kTcbResume>(tcb).info.error();
}
[[nodiscard]] inline Error tcb_bind_notification(CPtr tcb, CPtr notification) {
  return detail::invoke_caps<Label::kTcbBindNotification>(tcb, {notification}).info.error();
}
[[nodiscard]] inline Error tcb_unbind_notification(CPtr tcb) {
  return detail::invoke<Label::kTcbUnbindNotification>(tcb).info.error();
}
[[nodiscard]] inline Error tcb_set_tls_base(CPtr tcb, Word base) {
  return detail::invoke<Label::kTcbSetTlsBase>(tcb, {base}).info.error();
}
// The value is the flags afterwards.
[[nodiscard]] inline WordResult tcb_set_flags(CPtr tcb, Word clear, Word set) {
  Message m = detail::invoke<Label::kTcbSetFlags>(tcb, {clear, set});
  return {m.info.error(), m.words.mr0};
}
// The four breakpoint methods: only with hardware debugging. Types and accesses are in fault.hpp.
[[nodiscard]] inline Error tcb_set_breakpoint(CPtr tcb, Word index, Word address, Word type,
                                              Word size, Word access) {
  return detail::invoke<Label::kTcbSetBreakpoint>(tcb, {index, address, type, size, access})
      .info.error();
}
struct Breakpoint {
  Error error;
  Word address, type, size, access, enabled;
};
[[nodiscard]] inline Breakpoint tcb_get_breakpoint(CPtr tcb, Word index) {
  Message m = detail::invoke<Label::kTcbGetBreakpoint>(tcb, {index});
  return {m.info.error(), m.words.mr0, m.words.mr1,
          m.words.mr2,    m.words.mr3, ipc_buffer().msg[kMsgRegisters]};
}
[[nodiscard]] inline Error tcb_unset_breakpoint(CPtr tcb, Word index) {
  return detail::invoke<Label::kTcbUnsetBreakpoint>(tcb, {index}).info.error();
}
// The value tells whether the breakpoint is used up, which never happens on x86.
[[nodiscard]] inline WordResult tcb_configure_single_stepping(CPtr tcb, Word index,
                                                              Word instructions) {
  Message m = detail::invoke<Label::kTcbConfigureSingleStepping>(tcb, {index, instructions});
  return {m.info.error(), m.words.mr0};
}
// Reads the first `count` words of `registers`.
[[nodiscard]] inline Error tcb_read_registers(CPtr tcb, bool suspend, Word count,
                                              UserRegisters& registers) {
  Message m = detail::invoke<Label::kTcbReadRegisters>(tcb, {Word{suspend}, count});
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
              MessageInfo(detail::wire_label(Label::kTcbWriteRegisters), 0, 0,
                          static_cast<unsigned>(count) + 2),
              {Word{resume}, count, in[0], in[1]})
      .info.error();
}
[[nodiscard]] inline Error tcb_copy_registers(CPtr dest, CPtr source, bool suspend_source,
                                              bool resume_target, bool frame, bool integer) {
  const Word flags =
      Word{suspend_source} | Word{resume_target} << 1 | Word{frame} << 2 | Word{integer} << 3;
  return detail::invoke<Label::kTcbCopyRegisters>(dest, {source}, {flags}).info.error();
}

// --- Scheduling ----------------------------------------------------------------------------------
// Budget and period in microseconds; equal ones make a round-robin context.
[[nodiscard]] inline Error sched_control_configure(CPtr control, CPtr sched_context, Word budget,
                                                   Word period, Word extra_refills, Word badge,
                                                   Word flags) {
  return detail::invoke<Label::kSchedControlConfigureFlags>(
             control, {sched_context}, {budget, period, extra_refills, badge, flags})
      .info.error();
}
[[nodiscard]] inline Error sched_context_bind(CPtr sched_context, CPtr tcb_or_notification) {
  return detail::invoke_caps<Label::kSchedContextBind>(sched_context, {tcb_or_notification})
      .info.error();
}
[[nodiscard]] inline Error sched_context_unbind(CPtr sched_context) {
  return detail::invoke<Label::kSchedContextUnbind>(sched_context).info.error();
}
[[nodiscard]] inline Error sched_context_unbind_object(CPtr sched_context, CPtr object) {
  return detail::invoke_caps<Label::kSchedContextUnbindObject>(sched_context, {object})
      .info.error();
}
// Microseconds consumed since last asked.
[[nodiscard]] inline WordResult sched_context_consumed(CPtr sched_context) {
  Message m = detail::invoke<Label::kSchedContextConsumed>(sched_context);
  return {m.info.error(), m.words.mr0};
}
[[nodiscard]] inline WordResult sched_context_yield_to(CPtr sched_context) {
  Message m = detail::invoke<Label::kSchedContextYieldTo>(sched_context);
  return {m.info.error(), m.words.mr0};
}
[[nodiscard]] inline Error domain_set(CPtr control, Word domain, CPtr tcb) {
  return detail::invoke<Label::kDomainSet>(control, {tcb}, {domain}).info.error();
}

// The duration is in ticks of the time stamp counter.
[[nodiscard]] inline Error domain_schedule_configure(CPtr control, Word index, Word domain,
                                                     Word duration) {
  return detail::invoke<Label::kDomainScheduleConfigure>(control, {index, domain, duration})
      .info.error();
}
[[nodiscard]] inline Error domain_schedule_set_start(CPtr control, Word index) {
  return detail::invoke<Label::kDomainScheduleSetStart>(control, {index}).info.error();
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
  return detail::invoke<Label::kX86IrqIssueHandlerIoApic>(
             control, {dest.root},
             {dest.index, Word{dest.depth}, pin.io_apic, pin.pin, pin.level, pin.polarity, vector})
      .info.error();
}
[[nodiscard]] inline Error irq_control_get_msi(CPtr control, SlotAddress dest, Word bus,
                                               Word device, Word function, Word handle,
                                               Word vector) {
  return detail::invoke<Label::kX86IrqIssueHandlerMsi>(
             control, {dest.root},
             {dest.index, Word{dest.depth}, bus, device, function, handle, vector})
      .info.error();
}
[[nodiscard]] inline Error irq_handler_ack(CPtr handler) {
  return detail::invoke<Label::kIrqAck>(handler).info.error();
}
[[nodiscard]] inline Error irq_handler_set_notification(CPtr handler, CPtr notification) {
  return detail::invoke_caps<Label::kIrqSetHandler>(handler, {notification}).info.error();
}
[[nodiscard]] inline Error irq_handler_clear(CPtr handler) {
  return detail::invoke<Label::kIrqClearHandler>(handler).info.error();
}

// --- Address spaces ------------------------------------------------------------------------------
[[nodiscard]] inline Error pdpt_map(CPtr pdpt, CPtr pml4, Word vaddr,
                                    PageAttribute attribute = kDefaultPageAttribute) {
  return detail::invoke<Label::kX86PdptMap>(pdpt, {pml4}, {vaddr, static_cast<Word>(attribute)})
      .info.error();
}
[[nodiscard]] inline Error pdpt_unmap(CPtr pdpt) {
  return detail::invoke<Label::kX86PdptUnmap>(pdpt).info.error();
}
[[nodiscard]] inline Error page_directory_map(CPtr directory, CPtr vspace, Word vaddr,
                                              PageAttribute attribute = kDefaultPageAttribute) {
  return detail::invoke<Label::kX86PageDirectoryMap>(directory, {vspace},
                                                     {vaddr, static_cast<Word>(attribute)})
      .info.error();
}
[[nodiscard]] inline Error page_directory_unmap(CPtr directory) {
  return detail::invoke<Label::kX86PageDirectoryUnmap>(directory).info.error();
}
[[nodiscard]] inline Error page_table_map(CPtr table, CPtr vspace, Word vaddr,
                                          PageAttribute attribute = kDefaultPageAttribute) {
  return detail::invoke<Label::kX86PageTableMap>(table, {vspace},
                                                 {vaddr, static_cast<Word>(attribute)})
      .info.error();
}
[[nodiscard]] inline Error page_table_unmap(CPtr table) {
  return detail::invoke<Label::kX86PageTableUnmap>(table).info.error();
}
struct PageMapResult {
  Error error;
  Word lookup_bits;  // of kFailedLookup: kLookupNoPageTable, kLookupNoPageDirectory, kLookupNoPdpt
};
[[nodiscard]] inline PageMapResult page_map_or_level(
    CPtr page, CPtr vspace, Word vaddr, CapRights rights,
    PageAttribute attribute = kDefaultPageAttribute) {
  Message m = detail::invoke<Label::kX86PageMap>(
      page, {vspace}, {vaddr, rights.raw(), static_cast<Word>(attribute)});
  return {m.info.error(), m.words.mr2};
}
[[nodiscard]] inline Error page_map(CPtr page, CPtr vspace, Word vaddr, CapRights rights,
                                    PageAttribute attribute = kDefaultPageAttribute) {
  return page_map_or_level(page, vspace, vaddr, rights, attribute).error;
}
[[nodiscard]] inline Error page_unmap(CPtr page) {
  return detail::invoke<Label::kX86PageUnmap>(page).info.error();
}
// These three only with IOMMU support.
[[nodiscard]] inline Error page_map_io(CPtr page, CPtr io_space, CapRights rights, Word address) {
  return detail::invoke<Label::kX86PageMapIo>(page, {io_space}, {rights.raw(), address})
      .info.error();
}
[[nodiscard]] inline Error io_page_table_map(CPtr table, CPtr io_space, Word address) {
  return detail::invoke<Label::kX86IoPageTableMap>(table, {io_space}, {address}).info.error();
}
[[nodiscard]] inline Error io_page_table_unmap(CPtr table) {
  return detail::invoke<Label::kX86IoPageTableUnmap>(table).info.error();
}
[[nodiscard]] inline WordResult page_get_address(CPtr page) {
  Message m = detail::invoke<Label::kX86PageGetAddress>(page);
  return {m.info.error(), m.words.mr0};
}
[[nodiscard]] inline Error asid_control_make_pool(CPtr control, CPtr untyped, SlotAddress dest) {
  return detail::invoke<Label::kX86AsidControlMakePool>(control, {untyped, dest.root},
                                                        {dest.index, Word{dest.depth}})
      .info.error();
}
[[nodiscard]] inline Error asid_pool_assign(CPtr pool, CPtr vspace) {
  return detail::invoke_caps<Label::kX86AsidPoolAssign>(pool, {vspace}).info.error();
}

// --- I/O ports -----------------------------------------------------------------------------------
// A cap to the ports first … last, both included.
[[nodiscard]] inline Error io_port_control_issue(CPtr control, Word first, Word last,
                                                 SlotAddress dest) {
  return detail::invoke<Label::kX86IoPortControlIssue>(control, {dest.root},
                                                       {first, last, dest.index, Word{dest.depth}})
      .info.error();
}
[[nodiscard]] inline WordResult io_port_in8(CPtr ports, Word port) {
  Message m = detail::invoke<Label::kX86IoPortIn8>(ports, {port});
  return {m.info.error(), m.words.mr0};
}
[[nodiscard]] inline WordResult io_port_in16(CPtr ports, Word port) {
  Message m = detail::invoke<Label::kX86IoPortIn16>(ports, {port});
  return {m.info.error(), m.words.mr0};
}
[[nodiscard]] inline WordResult io_port_in32(CPtr ports, Word port) {
  Message m = detail::invoke<Label::kX86IoPortIn32>(ports, {port});
  return {m.info.error(), m.words.mr0};
}
[[nodiscard]] inline Error io_port_out8(CPtr ports, Word port, Word data) {
  return detail::invoke<Label::kX86IoPortOut8>(ports, {port, data}).info.error();
}
[[nodiscard]] inline Error io_port_out16(CPtr ports, Word port, Word data) {
  return detail::invoke<Label::kX86IoPortOut16>(ports, {port, data}).info.error();
}
[[nodiscard]] inline Error io_port_out32(CPtr ports, Word port, Word data) {
  return detail::invoke<Label::kX86IoPortOut32>(ports, {port, data}).info.error();
}

}  // namespace lona::abi
