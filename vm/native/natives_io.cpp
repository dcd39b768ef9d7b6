// SPDX-License-Identifier: BSD-2-Clause
// I/O ports of devices, which the first realm may ask for.
#include "abi/lona/protocol.hpp"
#include "vm/native/kernel_op.hpp"
#include "vm/term/symbol.hpp"

namespace lona::vm::natives {

namespace {

using abi::Label;

// A port, by its distance from the capability's first one. Whether the capability goes so far is
// what the kernel looks at.
struct Port {
  std::uint64_t capability = 0;
  std::uint64_t number = 0;
};
Port port_of(KernelOp& op, Args args) {
  constexpr std::uint64_t kMost = 0xffff;
  const std::uint64_t capability = op.capability(0, MachineType::kPorts);
  const std::uint64_t offset = op.word(args[1]);
  if (!op.good()) return {};
  const std::uint64_t number = capability_of(args[0]).kind.first_port() + offset;
  if (offset > kMost || number > kMost) op.error("range-error");
  return {capability, number};
}

Term in(Process& p, std::string_view name, Args args, Label label, NumberType type) {
  KernelOp op(p, name, args);
  const Port port = port_of(op, args);
  platform::KernelAnswer answer;
  if (!op.call(answer, port.capability, label, {}, {port.number})) return op.answer();
  return make_fixed(p, type, static_cast<Wide>(answer.words[0]));
}

Term out(Process& p, std::string_view name, Args args, Label label, std::uint64_t most) {
  KernelOp op(p, name, args);
  const Port port = port_of(op, args);
  const std::uint64_t value = op.word(args[2]);
  if (value > most) op.refuse();
  return op.run(port.capability, label, {}, {port.number, value});
}

}  // namespace

Term is_port_cap(Process&, Args args) {
  return Term::boolean(is_machine_value(args[0], MachineType::kPorts));
}

Term port_request(Process& p, Args args) {
  KernelOp op(p, "port-request", args);
  const std::uint64_t first = op.word(args[0]);
  const std::uint64_t count = op.word(args[1]);
  if (first >= abi::kPorts || count == 0 || count > abi::kPorts - first) {
    op.refuse("ports from 0 to 65535");
  }
  if (!op.good()) return op.answer();
  const FilledSlot given = fill_slot(
      [&](std::uint32_t slot) { return platform::give_ports(slot, first, first + count - 1); });
  if (given.slot != platform::kNoSlot) return own_capability(p, ports_from(first), given.slot);
  op.error(describe(given.error));
  return op.answer();
}

Term port_in8(Process& p, Args args) {
  return in(p, "port-in8", args, Label::kX86IoPortIn8, NumberType::kU8);
}
Term port_in16(Process& p, Args args) {
  return in(p, "port-in16", args, Label::kX86IoPortIn16, NumberType::kU16);
}
Term port_in32(Process& p, Args args) {
  return in(p, "port-in32", args, Label::kX86IoPortIn32, NumberType::kU32);
}
Term port_out8(Process& p, Args args) {
  return out(p, "port-out8!", args, Label::kX86IoPortOut8, 0xff);
}
Term port_out16(Process& p, Args args) {
  return out(p, "port-out16!", args, Label::kX86IoPortOut16, 0xffff);
}
Term port_out32(Process& p, Args args) {
  return out(p, "port-out32!", args, Label::kX86IoPortOut32, 0xffff'ffff);
}

}  // namespace lona::vm::natives
