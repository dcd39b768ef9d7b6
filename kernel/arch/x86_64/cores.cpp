// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/arch/x86_64/cores.hpp"

#include "kernel/arch/arch.hpp"
#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/arch/x86_64/fpu.hpp"
#include "kernel/arch/x86_64/interrupts.hpp"
#include "kernel/arch/x86_64/vspace.hpp"

extern "C" {
extern const char kernel_stack_top[], fault_stack_top[];
}

namespace lona::kernel {

constinit KernelLock kernel_lock;
constinit Cores cores;

namespace {

constinit Core first_core{};
constinit std::atomic<bool> halting{false};

void wait_for_others(Core& core) {
  if (machine_halts()) cpu::halt_forever();
  answer_request(core);
  cpu::pause();
}

}  // namespace

Core& boot_core() {
  ArchCore& arch = first_core.arch;
  arch.self = &first_core;
  arch.kernel_stack_top = reinterpret_cast<std::uint64_t>(kernel_stack_top);
  arch.fault_stack_top = reinterpret_cast<std::uint64_t>(fault_stack_top);
  cores.all[0] = &first_core;
  return first_core;
}

void enter_kernel(Core& core) {
  kernel_lock.acquire([&core] { wait_for_others(core); });
  // A request that came while nobody held the lock any more was for an earlier stay in user mode.
  answer_request(core);
  core.prodded = false;
}

void leave_kernel() {
  kernel_lock.release();
}

void post(Core& core, CoreRequest::Kind kind, std::uint64_t address) {
  CoreRequest& request = core.arch.request;
  request.address = address;
  request.kind.store(kind, std::memory_order_release);
  local_apic_send(core.arch.apic_id, kCoreVector);
}

void await(const Core& core) {
  while (core.arch.request.kind.load(std::memory_order_acquire) != CoreRequest::Kind::kNone) {
    if (machine_halts()) cpu::halt_forever();
    cpu::pause();
  }
}

void answer_request(Core& core) {
  using Kind = CoreRequest::Kind;
  CoreRequest& request = core.arch.request;
  switch (request.kind.load(std::memory_order_acquire)) {
    case Kind::kNone:
      return;
    case Kind::kStop:
      break;
    case Kind::kForgetPage:
      cpu::invalidate_page(request.address);
      break;
    case Kind::kForgetAll:
      cpu::write_cr3(cpu::read_cr3());
      break;
    case Kind::kLeaveSpace:
      activate(nullptr);
      break;
    case Kind::kSaveFpu:
      if (core.arch.fpu_owner != nullptr) fpu_release(*core.arch.fpu_owner);
      break;
  }
  request.kind.store(Kind::kNone, std::memory_order_release);
}

bool machine_halts() {
  return halting.load(std::memory_order_relaxed);
}

void halt_other_cores() {
  if (halting.exchange(true)) cpu::halt_forever();  // another core was first
  if (cores.count > 1) local_apic_nmi_to_others();
}

namespace arch {

void prod(Core& core) {
  local_apic_send(core.arch.apic_id, kCoreVector);
}

void stop(Core& core) {
  post(core, CoreRequest::Kind::kStop, 0);
  await(core);
}

}  // namespace arch

}  // namespace lona::kernel
