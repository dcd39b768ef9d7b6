// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/arch/x86_64/fpu.hpp"

#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/arch/x86_64/features.hpp"
#include "kernel/sched/core.hpp"

namespace lona::kernel {

namespace {

// State components x87 and SSE: what fits into FpuState. User space sees no AVX.
constexpr std::uint32_t kStateComponents = 3;

void enable(ArchCore& core) {
  if (core.fpu_enabled) return;
  asm volatile("clts");
  core.fpu_enabled = true;
}

void disable(ArchCore& core) {
  if (!core.fpu_enabled) return;
  cpu::write_cr0(cpu::read_cr0() | cpu::kCr0TaskSwitched);
  core.fpu_enabled = false;
}

void save(FpuState& state) {
  if (cpu_features.xsaveopt) {
    asm volatile("xsaveopt64 %0" : "+m"(state.bytes) : "a"(kStateComponents), "d"(0) : "memory");
  } else if (cpu_features.xsave) {
    asm volatile("xsave64 %0" : "+m"(state.bytes) : "a"(kStateComponents), "d"(0) : "memory");
  } else {
    asm volatile("fxsave64 %0" : "=m"(state.bytes));
  }
}

void restore(const FpuState& state) {
  if (cpu_features.xsave) {
    asm volatile("xrstor64 %0" : : "m"(state.bytes), "a"(kStateComponents), "d"(0) : "memory");
  } else {
    asm volatile("fxrstor64 %0" : : "m"(state.bytes));
  }
}

}  // namespace

void fpu_init() {
  std::uint64_t cr4 = cpu::read_cr4() | cpu::kCr4FxSave | cpu::kCr4SimdExceptions;
  if (cpu_features.xsave) cr4 |= cpu::kCr4XSave;
  cpu::write_cr4(cr4);
  std::uint64_t cr0 = cpu::read_cr0() & ~cpu::kCr0Emulation;
  cpu::write_cr0(cr0 | cpu::kCr0MonitorCoprocessor | cpu::kCr0NumericError | cpu::kCr0TaskSwitched);
  if (cpu_features.xsave) {
    asm volatile("xsetbv" : : "c"(0), "a"(kStateComponents), "d"(0));
  }
}

void fpu_switch_to(UserContext& context, FpuAccess access) {
  ArchCore& core = this_core().arch;
  if (access == FpuAccess::kDisabled) return disable(core);
  enable(core);
  if (core.fpu_owner == &context) return;
  if (core.fpu_owner != nullptr) save(core.fpu_owner->fpu);
  restore(context.fpu);
  core.fpu_owner = &context;
}

void fpu_release(UserContext& context) {
  ArchCore& core = this_core().arch;
  if (core.fpu_owner != &context) return;
  enable(core);
  save(context.fpu);
  core.fpu_owner = nullptr;
  // The registers still hold what was saved, and the thread that runs now may have no right to the
  // FPU; one that has gets its own state at its next use.
  disable(core);
}

}  // namespace lona::kernel
