// SPDX-License-Identifier: BSD-2-Clause
// Faults: from the instruction to the handler, and from the answer to the next instruction.
#include "bench/kernel/rows.hpp"
#include "bench/kernel/worker.hpp"

namespace lona::bench {

namespace {

using test::make;
using test::new_slot;
using test::slot_address;

constexpr unsigned kRounds = 24, kWarmUp = 3;
constexpr Word kUnknownNumber = 4711;
constexpr Word kInstructionBytes = 2;

enum class Kind { kVm, kUndefined, kUnknownCall };

Kind kind;
Op faulting_op, handler_op;
CPtr page = 0;
IpcBuffer* handler_buffer = nullptr;
Row to_handler, to_thread;

void faulting(Word) {
  for (unsigned i = 0; i < kWarmUp + kRounds; ++i) {
    Word user = kFaultOverhead, user_back = kCallOverhead;
    switch (kind) {
      case Kind::kVm:
        (void)abi::page_unmap(page);
        timed_read(&faulting_op);
        user_back = kResumeOverhead;
        break;
      case Kind::kUndefined:
        timed_undefined(&faulting_op);
        break;
      case Kind::kUnknownCall:
        timed(&faulting_op);
        user = kCallOverhead;
        break;
    }
    if (i < kWarmUp) continue;
    to_handler.add(between(faulting_op.before, handler_op.after, user));
    to_thread.add(between(handler_op.before, faulting_op.after, user_back));
  }
  report_done();
  park_worker();
}

// What the thread needs to go on: the page, or an instruction pointer behind what it cannot do.
void prepare_answer() {
  if (kind == Kind::kVm) {
    Op map = invocation(*handler_buffer, page, Label::kX86PageMap, {abi::kSlotInitVSpace},
                        {faulting_op.address, abi::kReadWrite.raw(), 0});
    timed(&map);
    handler_op.info = MessageInfo(0, 0, 0, 0).raw();
    return;
  }
  for (unsigned i = 0; i < abi::kMsgRegisters; ++i) handler_op.mr[i] = handler_op.out_mr[i];
  if (kind == Kind::kUndefined) {
    handler_op.mr[abi::user_exception::kFaultIp] += kInstructionBytes;
    handler_op.info = MessageInfo(0, 0, 0, 1).raw();
  } else {
    handler_buffer->msg[abi::unknown_syscall::kFaultIp] += kInstructionBytes;
    handler_op.info = MessageInfo(0, 0, 0, abi::unknown_syscall::kSyscall).raw();
  }
}

void handler(Word) {
  const Op again = handler_op;
  handler_op = syscall(Syscall::kNBSendRecv, again.cap, {}, again.reply);
  handler_op.dest = done_notification();
  timed(&handler_op);
  handler_op.number = again.number;
  for (;;) {
    prepare_answer();
    timed(&handler_op);
  }
}

void measure(Kind what, Space space, bool passive) {
  kind = what;
  const CPtr endpoint = make(ObjectType::kEndpoint), reply = make(ObjectType::kReply),
             badged = new_slot();
  CHECK_OK(abi::cnode_mint(slot_address(badged), slot_address(endpoint), abi::kAllRights,
                           test::kFaultBadge));
  (void)done_notification();
  const Word address = test::unused_address();
  if (kind == Kind::kVm) test::map_tables_at(abi::kSlotInitVSpace, address);
  faulting_op = syscall(static_cast<Syscall>(kUnknownNumber), 0);
  faulting_op.address = address;
  handler_op = syscall(Syscall::kReplyRecv, endpoint, {}, reply);
  Worker h(handler, {.space = space});
  Worker f(faulting, {.fault_handler = badged});
  handler_buffer = &h.buffer();
  h.start();
  wait_for_workers();
  if (passive) h.make_passive();
  f.start();
  wait_for_workers();
}

}  // namespace

void fault_rows() {
  page = make(ObjectType::kPage4K);
  constexpr struct {
    Kind kind;
    bool passive;
    std::string_view name, rest;
  } kCases[] = {{Kind::kVm, true, "fault VM ", ", passive handler: "},
                {Kind::kVm, false, "fault VM ", ", active handler: "},
                {Kind::kUndefined, true, "fault ud2 (UserException) ", ", passive handler: "},
                {Kind::kUnknownCall, true, "fault unknown syscall ", ", passive handler: "}};
  for (const auto& row : kCases) {
    for (const Space space : {Space::kSame, Space::kOther}) {
      measure(row.kind, space, row.passive);
      test::print(row.name);
      test::print(space == Space::kSame ? "same-AS" : "cross-AS");
      to_handler.print(row.rest, "fault->handler");
      test::print(row.name);
      test::print(space == Space::kSame ? "same-AS" : "cross-AS");
      to_thread.print(row.rest, "reply->resume");
    }
  }
}

}  // namespace lona::bench
