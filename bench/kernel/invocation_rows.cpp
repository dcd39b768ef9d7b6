// SPDX-License-Identifier: BSD-2-Clause
// System calls that lead nowhere, and methods whose work is next to nothing: what entry, lookup and
// decoding cost.
#include "bench/kernel/rows.hpp"
#include "bench/kernel/worker.hpp"

namespace lona::bench {

namespace {

using test::make;
using test::new_slot;
using test::slot_address;

void row(std::string_view name, const Op& op, Error expected = Error::kNone) {
  Row row;
  while (!row.full()) row.run(op, expected);
  row.print(name);
}

// Calls whose registers come back as they were have no error to check.
void row_without_answer(std::string_view name, const Op& op) {
  Row row;
  while (!row.full()) {
    Op copy = op;
    timed(&copy);
    row.add(own(copy));
  }
  row.print(name);
}

}  // namespace

void null_rows() {
  const CPtr empty = new_slot(), notification = make(ObjectType::kNotification),
             endpoint = make(ObjectType::kEndpoint), reply = make(ObjectType::kReply);
  row_without_answer("null: SetTLSBase syscall (same value)", syscall(Syscall::kSetTlsBase, 0));
  row_without_answer("null: Send to empty slot", syscall(Syscall::kSend, empty));
  row_without_answer("null: NBSend to empty slot", syscall(Syscall::kNBSend, empty));
  row("null: Call on empty slot (error reply)", syscall(Syscall::kCall, empty),
      Error::kInvalidCapability);
  row("null: Call TCB cap with invalid label (error reply)",
      syscall(Syscall::kCall, abi::kSlotInitTcb, MessageInfo(4000, 0, 0, 0)),
      Error::kIllegalOperation);
  row_without_answer("null: NBWait on idle notification (poll, empty)",
                     syscall(Syscall::kNBWait, notification));
  row_without_answer("null: NBRecv on idle endpoint (poll, empty)",
                     syscall(Syscall::kNBRecv, endpoint, {}, reply));
  row_without_answer("null: NBSend on endpoint, no receiver", syscall(Syscall::kNBSend, endpoint));
}

void invocation_rows() {
  row("invoke: X86_Page_GetAddress",
      invocation(abi::kSlotInitIpcBuffer, Label::kX86PageGetAddress));
  const CPtr tcb = make(ObjectType::kTcb);
  row("invoke: TCB_ReadRegisters 2 words", invocation(tcb, Label::kTcbReadRegisters, {}, {0, 2}));
  row("invoke: TCB_ReadRegisters 20 words", invocation(tcb, Label::kTcbReadRegisters, {}, {0, 20}));
  row("invoke: TCB_WriteRegisters 2 words, no resume",
      invocation(tcb, Label::kTcbWriteRegisters, {}, {0, 2, 0, 0}));
  row("invoke: TCB_WriteRegisters 20 words, no resume",
      invocation(tcb, Label::kTcbWriteRegisters, {},
                 {0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
  row("invoke: TCB_SetPriority (self, same prio)",
      invocation(abi::kSlotInitTcb, Label::kTcbSetPriority, {abi::kSlotInitTcb},
                 {abi::kMaxPriority}));
  constexpr Word kFirst = 0x70, kPort = 0x71;
  const CPtr ports = new_slot();
  CHECK_OK(abi::io_port_control_issue(abi::kSlotIoPortControl, kFirst, kPort, slot_address(ports)));
  row("invoke: IOPort_In8", invocation(ports, Label::kX86IoPortIn8, {}, {kPort}));
  row("invoke: IOPort_Out8", invocation(ports, Label::kX86IoPortOut8, {}, {kFirst, 0x0a}));
  row("invoke: SchedContext_Consumed (own SC)",
      invocation(abi::kSlotInitSchedContext, Label::kSchedContextConsumed));
}

}  // namespace lona::bench
