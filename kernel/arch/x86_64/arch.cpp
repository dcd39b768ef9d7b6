// SPDX-License-Identifier: BSD-2-Clause
// Time, threads and their registers: what the portable kernel asks of this architecture. Objects
// are in objects.cpp, their methods in decode_*.cpp, interrupts in irq.cpp.
#include "kernel/arch/arch.hpp"

#include "kernel/api/entry.hpp"
#include "kernel/arch/x86_64/clock.hpp"
#include "kernel/arch/x86_64/console.hpp"
#include "kernel/arch/x86_64/cores.hpp"
#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/arch/x86_64/debug_registers.hpp"
#include "kernel/arch/x86_64/descriptors.hpp"
#include "kernel/arch/x86_64/fpu.hpp"
#include "kernel/arch/x86_64/interrupts.hpp"
#include "kernel/arch/x86_64/vspace.hpp"
#include "kernel/ipc/ipc.hpp"

namespace lona::kernel::arch {

Ticks now() {
  return clock_now();
}
void set_deadline(Ticks at, Ticks now) {
  clock_set_deadline(at, now);
}
Ticks ticks_per_us() {
  return kernel::ticks_per_us();
}

bool interrupt_pending() {
  return local_apic_has_pending() || kernel_lock.contended();
}

void init_context(UserContext& context) {
  context.reset();
}

namespace {

// While the kernel runs, the thread's base is where SWAPGS takes it from.
void load_gs_base(std::uint64_t base) {
  cpu::write_msr(cpu::kMsrKernelGsBase, base);
  this_core().arch.user_gs_base = base;
}

}  // namespace

void switch_to(Tcb& tcb) {
  const Cap& root = tcb.slots[Tcb::kVSpace].cap;
  ArchCore& core = this_core().arch;
  // An active address space has its number still: when it loses that, no core stays in it.
  const auto* const space = root.object<PageTable>();
  if (!root.is(CapType::kPml4)) {
    activate(nullptr);
  } else if (to_phys(space) != core.active_root) {
    if (vspace_of(root.mapped_asid()) == space) [[likely]] {
      core.active_root = to_phys(space);
      cpu::write_cr3(core.active_root);
    } else {
      // A thread whose address space is gone faults at its first instruction.
      activate(nullptr);
    }
  }

  if constexpr (abi::kConfiguration.hardware_debug) debug_switch_to(tcb);
  UserContext& context = tcb.context;
  fpu_switch_to(context,
                tcb.flags & abi::kTcbFlagFpuDisabled ? FpuAccess::kDisabled : FpuAccess::kAllowed);
  // A thread can change a hidden base by loading the selector, but to 0 only: that is the base of
  // all segments. So 0 needs not be written over 0.
  cpu::write_msr(cpu::kMsrFsBase, context.fs_base);
  if ((core.user_gs_base | context.gs_base) != 0) [[unlikely]]
    load_gs_base(context.gs_base);
  core.context = &context;
  core.task_state.rsp[0] = reinterpret_cast<std::uint64_t>(&context.ss + 1);
}

// The last thread's address space stays: nothing runs in it.
void switch_to_idle() {}

void release_fpu(Tcb& tcb) {
  Core& core = core_of(tcb);
  if (core.arch.fpu_owner != &tcb.context) return;
  if (&core == &this_core()) return fpu_release(tcb.context);
  post(core, CoreRequest::Kind::kSaveFpu);
  await(core);
}

// The registers keep what nobody can read: whoever may use them next loads its own state first.
void forget_fpu(Tcb& tcb) {
  ArchCore& core = core_of(tcb).arch;
  if (core.fpu_owner == &tcb.context) core.fpu_owner = nullptr;
}

namespace {

bool is_current(const UserContext& context) {
  return this_core().arch.context == &context;
}

}  // namespace

void set_tls_base(Tcb& tcb, Word base) {
  tcb.context.fs_base = UserContext::canonical(base);
  if (is_current(tcb.context)) cpu::write_msr(cpu::kMsrFsBase, tcb.context.fs_base);
}

namespace {

using Register = std::uint64_t UserContext::*;

// General registers in the order of abi::UserRegisters, from its fourth on.
constexpr Register kGeneral[] = {
    &UserContext::rax, &UserContext::rbx, &UserContext::rcx, &UserContext::rdx, &UserContext::rsi,
    &UserContext::rdi, &UserContext::rbp, &UserContext::r8,  &UserContext::r9,  &UserContext::r10,
    &UserContext::r11, &UserContext::r12, &UserContext::r13, &UserContext::r14, &UserContext::r15,
};
constexpr unsigned kGeneralCount = std::size(kGeneral);
enum : unsigned { kIp = 0, kSp = 1, kFlags = 2, kFirstGeneral = 3 };
constexpr unsigned kFsBase = kFirstGeneral + kGeneralCount, kGsBase = kFsBase + 1;
constexpr unsigned kFrameRegisters = kFsBase;
static_assert(kGsBase + 1 == abi::kUserRegisterCount);

}  // namespace

Word read_register(const Tcb& tcb, unsigned index) {
  constexpr Register kReadable[] = {
      &UserContext::fault_ip, &UserContext::rsp, &UserContext::rflags,  &UserContext::rax,
      &UserContext::rbx,      &UserContext::rcx, &UserContext::rdx,     &UserContext::rsi,
      &UserContext::rdi,      &UserContext::rbp, &UserContext::r8,      &UserContext::r9,
      &UserContext::r10,      &UserContext::r11, &UserContext::r12,     &UserContext::r13,
      &UserContext::r14,      &UserContext::r15, &UserContext::fs_base, &UserContext::gs_base,
  };
  static_assert(std::size(kReadable) == abi::kUserRegisterCount);
  return index < std::size(kReadable) ? tcb.context.*kReadable[index] : 0;
}

void write_register(Tcb& tcb, unsigned index, Word value) {
  UserContext& c = tcb.context;
  c.require_full_restore();
  switch (index) {
    case kIp:
      return c.set_ip(value);
    case kSp:
      c.rsp = value;
      return;
    case kFlags:
      return c.set_flags(value);
    case kFsBase:
      return set_tls_base(tcb, value);
    case kGsBase:
      c.gs_base = UserContext::canonical(value);
      if (is_current(c)) load_gs_base(c.gs_base);
      return;
    default:
      if (index < kFsBase) c.*kGeneral[index - kFirstGeneral] = value;
      return;
  }
}

void copy_frame_registers(Tcb& to, const Tcb& from) {
  for (unsigned i = 0; i < kFrameRegisters; ++i) write_register(to, i, read_register(from, i));
}

void copy_integer_registers(Tcb& to, const Tcb& from) {
  write_register(to, kFsBase, from.context.fs_base);
  write_register(to, kGsBase, from.context.gs_base);
}

namespace {

// Where word `index` of a fault message lies in the order of abi::UserRegisters.
unsigned register_of_unknown_syscall_word(unsigned index) {
  switch (index) {
    case abi::unknown_syscall::kFaultIp:
      return kIp;
    case abi::unknown_syscall::kRsp:
      return kSp;
    case abi::unknown_syscall::kFlags:
      return kFlags;
    default:
      return kFirstGeneral + index;
  }
}

}  // namespace

void describe_unknown_syscall(const Tcb& tcb, Tcb& receiver, abi::IpcBuffer* buffer) {
  const UserContext& from = tcb.context;
  UserContext& to = receiver.context;
  to.set_message_register(0, from.rax);
  to.set_message_register(1, from.rbx);
  to.set_message_register(2, from.rcx);
  to.set_message_register(3, from.rdx);
  if (buffer == nullptr) return;
  constexpr unsigned kFirst = abi::kMsgRegisters, kEnd = abi::unknown_syscall::kFaultIp;
  static_assert(kEnd == kGeneralCount && abi::unknown_syscall::kFlags == kEnd + 2);
  // The general registers lie side by side.
  copy_words(buffer->msg + kFirst, &from.rax + kFirst, kEnd - kFirst);
  buffer->msg[abi::unknown_syscall::kFaultIp] = from.fault_ip;
  buffer->msg[abi::unknown_syscall::kRsp] = from.rsp;
  buffer->msg[abi::unknown_syscall::kFlags] = from.rflags;
}
void set_unknown_syscall_word(Tcb& tcb, unsigned index, Word value) {
  if (index > abi::unknown_syscall::kFlags) return;
  write_register(tcb, register_of_unknown_syscall_word(index), value);
}
// The first words of this layout are those of abi::UserRegisters.
Word user_exception_word(const Tcb& tcb, unsigned index) {
  return index <= abi::user_exception::kFlags ? read_register(tcb, index) : 0;
}
void set_user_exception_word(Tcb& tcb, unsigned index, Word value) {
  if (index <= abi::user_exception::kFlags) write_register(tcb, index, value);
}

void put_char(char c) {
  console_put(c);
}

void flush_caches() {
  cpu::write_back_caches();
}

[[noreturn]] void halt() {
  console_write("\n[kernel] halted\n");
  cpu::halt_forever();
}

}  // namespace lona::kernel::arch
