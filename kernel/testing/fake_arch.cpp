// SPDX-License-Identifier: BSD-2-Clause
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "kernel/arch/arch.hpp"
#include "kernel/check/check.hpp"
#include "kernel/testing/world.hpp"

namespace lona::kernel {

namespace testing {
FakeMachine machine;
}
using testing::machine;

Core* running_core = nullptr;
Cores cores;

namespace arch {

Ticks now() {
  return machine.now;
}
void set_deadline(Ticks at, Ticks) {
  machine.deadline = at;
}
Ticks ticks_per_us() {
  return testing::kTicksPerUs;
}

bool interrupt_pending() {
  ++machine.preemption_points;
  return machine.interrupt_every != 0 && machine.preemption_points % machine.interrupt_every == 0;
}
void mask_irq(unsigned, bool masked) {
  machine.masked += masked;
}
void ack_irq(unsigned) {}
void release_irq(unsigned) {}

void init_context(UserContext& context) {
  context.reset();
}
void switch_to(Tcb&) {}
void switch_to_idle() {}
void release_fpu(Tcb&) {}
void forget_fpu(Tcb&) {}
void prod(Core& core) {
  machine.prodded |= 1u << core.id;
}
void stop(Core& core) {
  machine.stopped |= 1u << core.id;
}
void set_tls_base(Tcb& tcb, Word base) {
  tcb.context.fs_base = base;
}

namespace {
std::uint64_t UserContext::* const kOrder[] = {
    &UserContext::fault_ip, &UserContext::rsp, &UserContext::rflags,  &UserContext::rax,
    &UserContext::rbx,      &UserContext::rcx, &UserContext::rdx,     &UserContext::rsi,
    &UserContext::rdi,      &UserContext::rbp, &UserContext::r8,      &UserContext::r9,
    &UserContext::r10,      &UserContext::r11, &UserContext::r12,     &UserContext::r13,
    &UserContext::r14,      &UserContext::r15, &UserContext::fs_base, &UserContext::gs_base};
std::uint64_t UserContext::* const kSyscallOrder[] = {
    &UserContext::rax, &UserContext::rbx,   &UserContext::rcx, &UserContext::rdx,
    &UserContext::rsi, &UserContext::rdi,   &UserContext::rbp, &UserContext::r8,
    &UserContext::r9,  &UserContext::r10,   &UserContext::r11, &UserContext::r12,
    &UserContext::r13, &UserContext::r14,   &UserContext::r15, &UserContext::fault_ip,
    &UserContext::rsp, &UserContext::rflags};
}  // namespace

Word read_register(const Tcb& tcb, unsigned index) {
  return tcb.context.*kOrder[index];
}
void write_register(Tcb& tcb, unsigned index, Word value) {
  tcb.context.*kOrder[index] = value;
}
void copy_frame_registers(Tcb& to, const Tcb& from) {
  to.context.rsp = from.context.rsp;
}
void copy_integer_registers(Tcb& to, const Tcb& from) {
  to.context.rax = from.context.rax;
}
void describe_unknown_syscall(const Tcb& tcb, Tcb& receiver, abi::IpcBuffer* buffer) {
  for (unsigned i = 0; i < abi::unknown_syscall::kSyscall; ++i) {
    const Word word = tcb.context.*kSyscallOrder[i];
    if (i < abi::kMsgRegisters) {
      receiver.context.set_message_register(i, word);
    } else if (buffer != nullptr) {
      buffer->msg[i] = word;
    }
  }
}
void set_unknown_syscall_word(Tcb& tcb, unsigned index, Word value) {
  tcb.context.*kSyscallOrder[index] = value;
}
Word user_exception_word(const Tcb& tcb, unsigned index) {
  return tcb.context.*kOrder[index];
}
void set_user_exception_word(Tcb& tcb, unsigned index, Word value) {
  tcb.context.*kOrder[index] = value;
}

unsigned object_size_bits(abi::ObjectType type) {
  return type == abi::ObjectType::kPage4K ? 12 : type == abi::ObjectType::kPml4 ? 12 : 0;
}
bool is_frame_type(abi::ObjectType type) {
  return type == abi::ObjectType::kPage4K;
}
Cap cap_of_object(abi::ObjectType type, PhysAddr address, bool device) {
  if (type == abi::ObjectType::kPml4) return Cap::table(CapType::kPml4, address);
  return Cap::page(address, PageSize::k4K, device, abi::kReadWrite);
}
void prepare_object(abi::ObjectType, const Cap&) {}
void zero(void* memory, Word bytes) {
  std::memset(memory, 0, bytes);
}
Result<Cap> derive(const Cap& cap) {
  return cap;
}
Cap mask_rights(const Cap& cap, abi::CapRights rights) {
  Cap masked = cap;
  if (cap.is(CapType::kPage)) masked.set_rights(cap.rights() & rights);
  return masked;
}
Cap update_data(const Cap& cap, Word) {
  return cap;
}
void finalise(const Cap&, bool) {}
bool same_region(const Cap& parent, const Cap& child) {
  return arch::same_object(parent, child);
}
bool same_object(const Cap& a, const Cap& b) {
  return a.type() == b.type() && a.paddr() == b.paddr();
}
Result<Done> decode_invocation(Invocation&) {
  return fail(Failure::illegal_operation());
}
Result<Done> decode_irq_control(Invocation&) {
  return fail(Failure::illegal_operation());
}
bool is_vspace_root(const Cap& cap) {
  return cap.is(CapType::kPml4);
}
Result<void> check_ipc_buffer(Word address, const Cap& frame) {
  if (!frame.is(CapType::kPage)) return fail(Failure::illegal_operation());
  if (address % sizeof(abi::IpcBuffer) != 0) return fail(Failure::alignment());
  return {};
}

Complaint check_spaces(const ObjectIndex&) {
  return {};
}

void put_char(char c) {
  std::putchar(c);
}
void flush_caches() {}
void halt() {
  std::abort();
}

}  // namespace arch
}  // namespace lona::kernel
