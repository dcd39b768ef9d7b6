// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/arch/x86_64/descriptors.hpp"

#include <array>

#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/sched/core.hpp"

extern "C" {
extern const char syscall_entry[], syscall_entry_locked[], syscall_entry_compat[], vector_stubs[];
}

namespace lona::kernel {

namespace {

struct GateDescriptor {
  std::uint16_t offset_low;
  std::uint16_t selector;
  std::uint8_t ist;
  std::uint8_t type;
  std::uint16_t offset_middle;
  std::uint32_t offset_high;
  std::uint32_t reserved;
};
static_assert(sizeof(GateDescriptor) == 16);

struct [[gnu::packed]] TablePointer {
  std::uint16_t limit;
  std::uint64_t base;
};

constexpr std::uint8_t kInterruptGate = 0x8e;
constexpr std::uint8_t kUserInterruptGate = 0xee;
constexpr std::uint16_t kTaskStateSelector = 0x28;
constexpr unsigned kVectorStubBytes = 16;

// SYSRET takes the user selectors from one base: data at base + 8, code at base + 16.
constexpr std::uint16_t kSysretBase = kUserDataSelector - 8;
static_assert(kUserCodeSelector == kSysretBase + 16);

constexpr std::array<std::uint64_t, 7> kSegments{
    0,
    0x00af'9b00'0000'ffff,  // kernel code
    0x00cf'9300'0000'ffff,  // kernel data
    0x00cf'f300'0000'ffff,  // user data
    0x00af'fb00'0000'ffff,  // user code
    0,
    0,  // task state
};
constinit std::array<GateDescriptor, 256> idt{};

constexpr unsigned kIstFault = 1;

unsigned ist_of(unsigned vector) {
  // NMI, double fault and machine check must not depend on the stack they interrupt.
  return vector == 2 || vector == 8 || vector == 18 ? kIstFault : 0;
}

std::uint8_t gate_type_of(unsigned vector) {
  // INT3 and INTO are the thread's own exceptions; any other INT n is a general protection fault.
  return vector == 3 || vector == 4 ? kUserInterruptGate : kInterruptGate;
}

void fill_idt() {
  for (unsigned vector = 0; vector < idt.size(); ++vector) {
    const auto stub =
        reinterpret_cast<std::uint64_t>(vector_stubs) + std::uint64_t{vector} * kVectorStubBytes;
    idt[vector] = GateDescriptor{
        .offset_low = static_cast<std::uint16_t>(stub),
        .selector = kKernelCodeSelector,
        .ist = static_cast<std::uint8_t>(ist_of(vector)),
        .type = gate_type_of(vector),
        .offset_middle = static_cast<std::uint16_t>(stub >> 16),
        .offset_high = static_cast<std::uint32_t>(stub >> 32),
        .reserved = 0,
    };
  }
}

void fill_task_state(ArchCore& core) {
  TaskState& task_state = core.task_state;
  const auto base = reinterpret_cast<std::uint64_t>(&task_state);
  core.gdt = kSegments;
  core.gdt[5] = (sizeof(TaskState) - 1) | ((base & 0xff'ffff) << 16) | (0x89ULL << 40) |
                (((base >> 24) & 0xff) << 56);
  core.gdt[6] = base >> 32;
  task_state.ist[kIstFault - 1] = core.fault_stack_top;
  // No bitmap: user space reaches no port by itself.
  task_state.io_map_base = sizeof(TaskState);
}

void load_syscall_registers() {
  cpu::write_msr(cpu::kMsrStar, (std::uint64_t{kSysretBase | 3} << 48) |
                                    (std::uint64_t{kKernelCodeSelector} << 32));
  cpu::write_msr(cpu::kMsrLstar, reinterpret_cast<std::uint64_t>(syscall_entry));
  cpu::write_msr(cpu::kMsrCstar, reinterpret_cast<std::uint64_t>(syscall_entry_compat));
  // Cleared on entry: trap, interrupt, direction, nested task, alignment check.
  cpu::write_msr(cpu::kMsrSfmask, 0x4'4700);
  cpu::write_msr(cpu::kMsrEfer, cpu::read_msr(cpu::kMsrEfer) | cpu::kEferSyscall);
}

}  // namespace

void load_descriptors(ArchCore& core) {
  fill_task_state(core);
  if (core.self->id == 0) fill_idt();  // all cores share it
  const TablePointer gdt_pointer{sizeof(core.gdt) - 1,
                                 reinterpret_cast<std::uint64_t>(core.gdt.data())};
  const TablePointer idt_pointer{sizeof(idt) - 1, reinterpret_cast<std::uint64_t>(idt.data())};
  asm volatile(
      "lgdt %0\n"
      "pushq %2\n"
      "leaq 1f(%%rip), %%rax\n"
      "pushq %%rax\n"
      "lretq\n"
      "1:\n"
      "movw %3, %%ss\n"
      "movw %4, %%ds\n"
      "movw %4, %%es\n"
      "movw %4, %%fs\n"
      "movw %4, %%gs\n"
      "lidt %1\n"
      "ltr %5\n"
      :
      : "m"(gdt_pointer), "m"(idt_pointer), "i"(kKernelCodeSelector), "r"(kKernelDataSelector),
        "r"(std::uint16_t{0}), "r"(kTaskStateSelector)
      : "rax", "memory");
  // Loading the selector above has cleared the base.
  cpu::write_msr(cpu::kMsrGsBase, reinterpret_cast<std::uint64_t>(core.self));
  cpu::write_msr(cpu::kMsrKernelGsBase, 0);
  load_syscall_registers();
}

void lock_system_calls() {
  cpu::write_msr(cpu::kMsrLstar, reinterpret_cast<std::uint64_t>(syscall_entry_locked));
}

}  // namespace lona::kernel
