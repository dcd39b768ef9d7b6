// SPDX-License-Identifier: BSD-2-Clause
// From untyped memory to a running thread, and back.
#include "bench/kernel/rows.hpp"
#include "bench/kernel/worker.hpp"

namespace lona::bench {

namespace {

using test::make;
using test::new_slot;
using test::slot_address;

constexpr unsigned kRepetitions = 5;
alignas(16) char stack[4096];
Op entry_op;

Op retype_one(CPtr untyped, ObjectType type, Word size_bits, CPtr slot) {
  return invocation(untyped, Label::kUntypedRetype, {abi::kSlotInitCNode},
                    {static_cast<Word>(type), size_bits, 0, 0, slot, 1});
}
Op remove(CPtr slot) {
  return invocation(abi::kSlotInitCNode, Label::kCNodeDelete, {}, {slot, abi::kWordBits});
}
Op write_all_registers(CPtr tcb) {
  const Word top = reinterpret_cast<Word>(stack + sizeof(stack));
  return invocation(tcb, Label::kTcbWriteRegisters, {},
                    {0,
                     abi::kUserRegisterCount,
                     reinterpret_cast<Word>(timed_entry),
                     top,
                     0x202,
                     0,
                     0,
                     0,
                     0,
                     0,
                     reinterpret_cast<Word>(&entry_op),
                     0,
                     0,
                     0,
                     0,
                     0,
                     0,
                     0,
                     0,
                     0,
                     0,
                     0});
}

struct Rows {
  Row tcb, context, configure, control, parameters, registers, resume, suspend, tcb_end,
      context_end;
};

void life_of_a_thread(Rows& rows, CPtr memory, CPtr tcb, CPtr context, CPtr endpoint) {
  rows.tcb.run(retype_one(memory, ObjectType::kTcb, 0, tcb));
  rows.context.run(
      retype_one(memory, ObjectType::kSchedContext, abi::kMinSchedContextBits, context));
  rows.configure.run(
      invocation(tcb, Label::kTcbConfigure,
                 {abi::kSlotInitCNode, abi::kSlotInitVSpace, abi::kSlotInitIpcBuffer},
                 {0, 0, reinterpret_cast<Word>(&abi::ipc_buffer())}));
  rows.control.run(invocation(test::info->sched_control.start, Label::kSchedControlConfigureFlags,
                              {context}, {5000, 5000, 0, 0, 0}));
  // The root task has the highest priority; the thread becomes its equal and is yielded to below.
  rows.parameters.run(invocation(tcb, Label::kTcbSetSchedParams,
                                 {abi::kSlotInitTcb, context, endpoint},
                                 {abi::kMaxPriority, abi::kMaxPriority}));
  rows.registers.run(write_all_registers(tcb));
  Op resume = invocation(tcb, Label::kTcbResume);
  timed(&resume);
  rows.resume.add(between(resume.before, entry_op.after));
  rows.suspend.run(invocation(tcb, Label::kTcbSuspend));
  rows.tcb_end.run(remove(tcb));
  rows.context_end.run(remove(context));
}

void print(Rows& rows) {
  rows.tcb.print("tcb: retype TCB");
  rows.context.print("tcb: retype SC");
  rows.configure.print("tcb: Configure (cspace,vspace,ipcbuf)");
  rows.control.print("tcb: SchedControl_ConfigureFlags");
  rows.parameters.print("tcb: SetSchedParams (mcp,prio,sc,fault ep)");
  rows.registers.print("tcb: WriteRegisters 20 words");
  rows.resume.print("tcb: Resume (higher prio: to first user insn)");
  rows.suspend.print("tcb: Suspend (blocked thread)");
  rows.tcb_end.print("tcb: Delete TCB (final)");
  rows.context_end.print("tcb: Delete SC (final)");
}

}  // namespace

void thread_rows() {
  (void)done_notification();
  const CPtr memory = make(ObjectType::kUntyped, 12), tcb = new_slot(), context = new_slot(),
             endpoint = make(ObjectType::kEndpoint);
  Rows rows;
  // Below the new thread, so that it runs when it is resumed and until it waits.
  CHECK_OK(abi::tcb_set_priority(abi::kSlotInitTcb, abi::kSlotInitTcb, 100));
  for (unsigned i = 0; i < kRepetitions; ++i) {
    life_of_a_thread(rows, memory, tcb, context, endpoint);
  }
  CHECK_OK(abi::tcb_set_priority(abi::kSlotInitTcb, abi::kSlotInitTcb, abi::kMaxPriority));
  print(rows);
}

}  // namespace lona::bench
