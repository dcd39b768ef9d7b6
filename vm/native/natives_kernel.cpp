// SPDX-License-Identifier: BSD-2-Clause
// Methods of threads, processor time, interrupts and address spaces. Each is one call of the
// kernel, which checks what it is given; here the arguments become its words.
#include "vm/data/vector.hpp"
#include "vm/native/kernel_op.hpp"
#include "vm/term/symbol.hpp"

namespace lona::vm::natives {

namespace {

using abi::Label;
using enum MachineType;

Term u64(Process& p, Word value) {
  return make_fixed(p, NumberType::kU64, static_cast<Wide>(value));
}

// A call that takes nothing but the object it is made of.
Term call_of(Process& p, std::string_view name, Args args, MachineType type, Label label) {
  KernelOp op(p, name, args);
  return op.run(op.capability(0, type), label);
}

// One that gives an object a notification.
Term give_notification(Process& p, std::string_view name, Args args, MachineType type,
                       Label label) {
  KernelOp op(p, name, args);
  const std::uint64_t object = op.capability(0, type);
  return op.run(object, label, {op.capability(1, kNotification)});
}

Term set_priority(Process& p, std::string_view name, Args args, Label label) {
  KernelOp op(p, name, args);
  const std::uint64_t tcb = op.capability(0, kTcb);
  const std::uint64_t authority = op.capability(1, kTcb);
  return op.run(tcb, label, {authority}, {op.word(args[2])});
}

// The guard of a CSpace's root, when nothing is said, takes what the slots leave of a CPtr.
std::uint64_t cspace_data(KernelOp& op, Term options) {
  const std::uint64_t said = op.option(options, "cspace-data", ~std::uint64_t{0});
  if (said != ~std::uint64_t{0} || !op.good()) return said;
  const Term root = map_get(options, make_keyword("cspace-root"));
  if (root == Term::absent()) return 0;
  return abi::CNodeData(0, abi::kWordBits - capability_of(root).kind.size_bits).raw();
}

}  // namespace

// --- Threads ---

Term tcb_set_space(Process& p, Args args) {
  KernelOp op(p, "tcb-set-space!", args);
  const std::uint64_t tcb = op.capability(0, kTcb);
  const std::uint64_t fault = op.option(args[1], "fault-ep", kEndpoint);
  const std::uint64_t cspace = op.option(args[1], "cspace-root", kCNode);
  const std::uint64_t vspace = op.option(args[1], "vspace-root", kPml4);
  const std::uint64_t data = cspace_data(op, args[1]);
  return op.run(tcb, Label::kTcbSetSpace, {fault, cspace, vspace},
                {data, op.option(args[1], "vspace-data")});
}

Term tcb_configure(Process& p, Args args) {
  KernelOp op(p, "tcb-configure!", args);
  const std::uint64_t tcb = op.capability(0, kTcb);
  const std::uint64_t buffer = op.option(args[1], "ipc-buffer", kFrame);
  const std::uint64_t address = op.option(args[1], "ipc-buffer-addr");
  const std::uint64_t fault = op.option(args[1], "fault-ep", kEndpoint);
  const std::uint64_t cspace = op.option(args[1], "cspace-root", kCNode);
  const std::uint64_t vspace = op.option(args[1], "vspace-root", kPml4);
  const std::uint64_t data = cspace_data(op, args[1]);
  platform::KernelAnswer answer;
  // Configure leaves the fault handler as it is, so one that was named comes by SetSpace.
  if (fault == 0) {
    return op.run(tcb, Label::kTcbConfigure, {cspace, vspace, buffer},
                  {data, op.option(args[1], "vspace-data"), address});
  }
  if (!op.call(answer, tcb, Label::kTcbSetSpace, {fault, cspace, vspace},
               {data, op.option(args[1], "vspace-data")})) {
    return op.answer();
  }
  return buffer == 0 ? op.ok() : op.run(tcb, Label::kTcbSetIpcBuffer, {buffer}, {address});
}

Term tcb_set_ipc_buffer(Process& p, Args args) {
  KernelOp op(p, "tcb-set-ipc-buffer!", args);
  const std::uint64_t tcb = op.capability(0, kTcb);
  const std::uint64_t frame = op.capability(1, kFrame);
  return op.run(tcb, Label::kTcbSetIpcBuffer, {frame}, {op.word(args[2])});
}

Term tcb_set_priority(Process& p, Args args) {
  return set_priority(p, "tcb-set-priority!", args, Label::kTcbSetPriority);
}
Term tcb_set_mc_priority(Process& p, Args args) {
  return set_priority(p, "tcb-set-mc-priority!", args, Label::kTcbSetMCPriority);
}
Term tcb_set_sched_params(Process& p, Args args) {
  KernelOp op(p, "tcb-set-sched-params!", args);
  const std::uint64_t tcb = op.capability(0, kTcb);
  const std::uint64_t authority = op.capability(1, kTcb);
  const std::uint64_t context = op.option(args[2], "sched-context", kSchedContext);
  const std::uint64_t fault = op.option(args[2], "fault-ep", kEndpoint);
  const std::uint64_t mcp = op.option(args[2], "mcp");
  return op.run(tcb, Label::kTcbSetSchedParams, {authority, context, fault},
                {mcp, op.option(args[2], "priority")});
}

Term tcb_resume(Process& p, Args args) {
  return call_of(p, "tcb-resume!", args, kTcb, Label::kTcbResume);
}
Term tcb_suspend(Process& p, Args args) {
  return call_of(p, "tcb-suspend!", args, kTcb, Label::kTcbSuspend);
}

Term tcb_read_registers(Process& p, Args args) {
  KernelOp op(p, "tcb-read-regs", args);
  const std::uint64_t tcb = op.capability(0, kTcb);
  const std::uint64_t count = op.word(args[1]);
  if (count < 2 || count > abi::kUserRegisterCount || !args[2].is_boolean()) op.refuse();
  const std::uint64_t suspend = args[2] == Term::boolean(true) ? 1 : 0;
  platform::KernelAnswer answer;
  if (!op.call(answer, tcb, Label::kTcbReadRegisters, {}, {suspend, count})) return op.answer();
  VectorBuilder rest(p);
  for (std::uint64_t at = 2; at < count; ++at) rest.add(u64(p, answer.words[at]));
  Term map = map_put(p, empty_map(p), make_keyword("pc"), u64(p, answer.words[0]));
  map = map_put(p, map, make_keyword("sp"), u64(p, answer.words[1]));
  return map_put(p, map, make_keyword("regs"), rest.take());
}

Term tcb_write_registers(Process& p, Args args) {
  KernelOp op(p, "tcb-write-regs!", args);
  const std::uint64_t tcb = op.capability(0, kTcb);
  const std::uint64_t flags = op.word(args[2]);
  if (!args[1].is_boolean() || flags != 0 || !is_map(args[3])) op.refuse();
  // What is not named stays as it is.
  platform::KernelAnswer now;
  if (!op.call(now, tcb, Label::kTcbReadRegisters, {}, {0, abi::kUserRegisterCount})) {
    return op.answer();
  }
  std::uint64_t words[2 + abi::kUserRegisterCount];
  words[0] = args[1] == Term::boolean(true) ? 1 : 0;
  words[1] = abi::kUserRegisterCount;
  words[2] = op.option(args[3], "pc", now.words[0]);
  words[3] = op.option(args[3], "sp", now.words[1]);
  for (unsigned at = 2; at < abi::kUserRegisterCount; ++at) words[2 + at] = now.words[at];
  const Term rest = map_get(args[3], make_keyword("regs"));
  const std::size_t given = rest == Term::absent() ? 0 : is_vector(rest) ? vector_count(rest) : 99;
  if (given > abi::kUserRegisterCount - 2) op.refuse();
  for (std::size_t at = 0; op.good() && at < given; ++at)
    words[4 + at] = op.word(vector_get(rest, at));
  if (!op.good()) return op.answer();
  platform::KernelAnswer answer;
  platform::kernel_call(answer, tcb, static_cast<std::uint64_t>(Label::kTcbWriteRegisters), {},
                        words);
  return op.judge(answer);
}

Term tcb_bind_notification(Process& p, Args args) {
  return give_notification(p, "tcb-bind-notification!", args, kTcb, Label::kTcbBindNotification);
}
Term tcb_unbind_notification(Process& p, Args args) {
  return call_of(p, "tcb-unbind-notification!", args, kTcb, Label::kTcbUnbindNotification);
}

// --- Time ---

Term sched_configure(Process& p, Args args) {
  constexpr std::uint64_t kNsPerUs = 1'000;
  KernelOp op(p, "sched-configure!", args);
  const std::uint64_t control = op.capability(0, kSchedControl);
  const std::uint64_t context = op.capability(1, kSchedContext);
  const std::uint64_t budget = op.option(args[2], "budget") / kNsPerUs;
  const std::uint64_t period = op.option(args[2], "period", budget * kNsPerUs) / kNsPerUs;
  const std::uint64_t refills = op.option(args[2], "extra-refills");
  const std::uint64_t badge = op.option(args[2], "badge");
  return op.run(control, Label::kSchedControlConfigureFlags, {context},
                {budget, period, refills, badge, op.option(args[2], "flags")});
}

namespace {

// Its second argument is a thread or a notification.
Term call_of_context(Process& p, std::string_view name, Args args, Label label) {
  KernelOp op(p, name, args);
  const std::uint64_t context = op.capability(0, kSchedContext);
  if (!is_machine_value(args[1], kTcb) && !is_machine_value(args[1], kNotification)) {
    op.refuse("a thread or a notification");
  }
  return op.run(context, label, {op.capability(args[1])});
}

}  // namespace

Term sched_context_bind(Process& p, Args args) {
  return call_of_context(p, "sched-context-bind!", args, Label::kSchedContextBind);
}
Term sched_context_unbind(Process& p, Args args) {
  return call_of(p, "sched-context-unbind!", args, kSchedContext, Label::kSchedContextUnbind);
}
Term sched_context_unbind_object(Process& p, Args args) {
  return call_of_context(p, "sched-context-unbind-object!", args, Label::kSchedContextUnbindObject);
}
Term sched_context_consumed(Process& p, Args args) {
  constexpr std::uint64_t kNsPerUs = 1'000;
  KernelOp op(p, "sched-context-consumed", args);
  platform::KernelAnswer answer;
  if (!op.call(answer, op.capability(0, kSchedContext), Label::kSchedContextConsumed)) {
    return op.answer();
  }
  return Term::integer(static_cast<std::int64_t>(answer.words[0] * kNsPerUs));
}

// --- Interrupts ---

Term irq_handler_ack(Process& p, Args args) {
  return call_of(p, "irq-handler-ack!", args, kIrqHandler, Label::kIrqAck);
}
Term irq_handler_set_notification(Process& p, Args args) {
  return give_notification(p, "irq-handler-set-notification!", args, kIrqHandler,
                           Label::kIrqSetHandler);
}
Term irq_handler_clear(Process& p, Args args) {
  return call_of(p, "irq-handler-clear!", args, kIrqHandler, Label::kIrqClearHandler);
}

// --- Address spaces ---

namespace {

std::uint64_t attribute(KernelOp& op, Term t) {
  constexpr std::pair<std::string_view, abi::PageAttribute> kNames[] = {
      {"cached", abi::PageAttribute::kWriteBack},
      {"uncached", abi::PageAttribute::kUncacheable},
      {"device", abi::PageAttribute::kUncacheable},
      {"write-combine", abi::PageAttribute::kWriteCombining}};
  for (const auto& [name, value] : kNames) {
    if (t == make_keyword(name)) return static_cast<std::uint64_t>(value);
  }
  op.refuse();
  return 0;
}

struct TableLabels {
  Label map, unmap;
};
TableLabels labels_of_table(KernelOp& op, Term table) {
  if (is_machine_value(table, kPdpt)) return {Label::kX86PdptMap, Label::kX86PdptUnmap};
  if (is_machine_value(table, kPageDirectory)) {
    return {Label::kX86PageDirectoryMap, Label::kX86PageDirectoryUnmap};
  }
  if (!is_machine_value(table, kPageTable)) op.refuse();
  return {Label::kX86PageTableMap, Label::kX86PageTableUnmap};
}

}  // namespace

Term page_map(Process& p, Args args) {
  KernelOp op(p, "page-map!", args);
  const std::uint64_t frame = op.capability(0, kFrame);
  const std::uint64_t vspace = op.capability(1, kPml4);
  const std::uint64_t address = op.word(args[2]);
  const std::uint64_t rights = op.rights(args[3]);
  return op.run(frame, Label::kX86PageMap, {vspace}, {address, rights, attribute(op, args[4])});
}
Term page_unmap(Process& p, Args args) {
  return call_of(p, "page-unmap!", args, kFrame, Label::kX86PageUnmap);
}
Term page_get_address(Process& p, Args args) {
  KernelOp op(p, "page-get-address", args);
  platform::KernelAnswer answer;
  if (!op.call(answer, op.capability(0, kFrame), Label::kX86PageGetAddress)) return op.answer();
  return make_machine_value(p, kPhysicalAddress, answer.words[0]);
}
Term page_table_map(Process& p, Args args) {
  KernelOp op(p, "page-table-map!", args);
  const Label label = labels_of_table(op, args[0]).map;
  const std::uint64_t table = op.capability(args[0]);
  const std::uint64_t vspace = op.capability(1, kPml4);
  const std::uint64_t address = op.word(args[2]);
  return op.run(table, label, {vspace}, {address, attribute(op, args[3])});
}
Term page_table_unmap(Process& p, Args args) {
  KernelOp op(p, "page-table-unmap!", args);
  const Label label = labels_of_table(op, args[0]).unmap;
  return op.run(op.capability(args[0]), label);
}

}  // namespace lona::vm::natives
