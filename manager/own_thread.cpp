// SPDX-License-Identifier: BSD-2-Clause
#include "manager/own_thread.hpp"

namespace lona::manager {

namespace {

using abi::Error;
using abi::ObjectType;

constexpr abi::Word kStackOffset = 0x4000;  // buffer page, then pages that stay unmapped
constexpr std::uint64_t kStackPages = 8;
static_assert(kStackOffset + (kStackPages << abi::kPageBits) < OwnThread::kAreaSize);

// Each short piece of work comes back a period later as a refill of its own, and when there is no
// room for one more, the whole rest of the budget does. A service thread does many short pieces.
constexpr unsigned kSchedContextBits = 12;
constexpr std::uint64_t kExtraRefills = abi::max_extra_refills(kSchedContextBits);

base::Expected<void, MemoryError> as_expected(Error error) {
  if (error != Error::kNone) {
    return base::fail(MemoryError::refused);
  }
  return {};
}

}  // namespace

// Sporadic: what a thread did not use while it was idle is not kept for it.
Error configure_sched_context(abi::CPtr control, abi::CPtr sched_context, ThreadShare share) {
  const std::uint64_t refills = share.budget_us == share.period_us ? 0 : kExtraRefills;
  return abi::sched_control_configure(control, sched_context, share.budget_us, share.period_us,
                                      refills, 0, abi::kSchedContextSporadic);
}

base::Expected<KernelObject, MemoryError> make_sched_context(Memory& memory, abi::CPtr control,
                                                             ThreadShare share) {
  auto made = TRY(memory.make(ObjectType::kSchedContext, kSchedContextBits));
  if (configure_sched_context(control, made.cap, share) != Error::kNone) {
    memory.destroy(made);
    return base::fail(MemoryError::refused);
  }
  return made;
}

base::Expected<void, MemoryError> OwnThread::start(Memory& memory, AddressSpace& own,
                                                   abi::CPtr control, abi::Word area,
                                                   ThreadShare share, Entry entry, void* argument,
                                                   abi::CPtr fault_handler) {
  area_ = area;
  buffer_ = TRY(memory.make_frames(abi::kPageBits, 1));
  stack_ = TRY(memory.make_frames(abi::kPageBits, kStackPages));
  TRY(as_expected(own.map(memory, buffer_.first, area, abi::kReadWrite)));
  for (std::uint64_t page = 0; page < kStackPages; ++page) {
    TRY(as_expected(own.map(memory, stack_.first + page,
                            area + kStackOffset + (page << abi::kPageBits), abi::kReadWrite)));
  }
  tcb_ = TRY(memory.make(ObjectType::kTcb));
  sched_context_ = TRY(make_sched_context(memory, control, share));

  auto* buffer = reinterpret_cast<abi::IpcBuffer*>(area);
  buffer->user_data = area;
  TRY(as_expected(abi::tcb_configure(tcb_.cap, memory.cspace().root(), abi::CNodeData(0), own.cap(),
                                     area, buffer_.first)));
  TRY(as_expected(abi::tcb_set_sched_params(tcb_.cap, abi::kSlotInitTcb, share.priority,
                                            share.priority, sched_context_.cap, fault_handler)));
  return as_expected(restart(entry, argument));
}

Error OwnThread::restart(Entry entry, void* argument) const {
  abi::UserRegisters registers{};
  registers.rip = reinterpret_cast<abi::Word>(entry);
  // As if called: the stack is 8 bytes off its alignment of 16 at a function's first instruction.
  registers.rsp = area_ + kStackOffset + (kStackPages << abi::kPageBits) - 8;
  registers.rdi = reinterpret_cast<abi::Word>(argument);
  registers.rflags = 0x202;
  registers.fs_base = area_;
  return abi::tcb_write_registers(tcb_.cap, true, abi::kUserRegisterCount, registers);
}

}  // namespace lona::manager
