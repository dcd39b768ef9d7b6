// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/arch/x86_64/panic.hpp"

#include "base/format.hpp"
#include "kernel/arch/x86_64/console.hpp"
#include "kernel/arch/x86_64/cores.hpp"
#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/arch/x86_64/window.hpp"

// Written by tools/kernel_symbols.py into the final link: functions sorted by address.
extern "C" {
extern const std::uint32_t kernel_symbol_count;
extern const std::uint32_t kernel_symbol_table[];  // pairs: offset from kernel_text_begin, name
extern const char kernel_symbol_names[];
extern const char kernel_text_begin[], kernel_text_end[], kernel_image_begin[], kernel_image_end[];
}

namespace lona::kernel {

namespace {

using base::FixedText;
using base::Hex;

constexpr unsigned kMaxFrames = 24;

void write_location(std::uint64_t address) {
  FixedText<200> line;
  line << "  " << Hex{address};
  const auto begin = reinterpret_cast<std::uint64_t>(kernel_text_begin);
  if (address >= begin && address < reinterpret_cast<std::uint64_t>(kernel_text_end)) {
    const auto offset = static_cast<std::uint32_t>(address - begin);
    std::uint32_t low = 0;
    std::uint32_t high = kernel_symbol_count;
    while (low < high) {
      const std::uint32_t middle = (low + high) / 2;
      if (kernel_symbol_table[2 * middle] <= offset) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (low > 0) {
      const std::uint32_t* entry = &kernel_symbol_table[2 * (low - 1)];
      line << ' ' << &kernel_symbol_names[entry[1]] << " + " << (offset - entry[0]);
    }
  }
  line << '\n';
  console_write(line.text());
}

// Follows saved frame pointers as long as they stay on the kernel's stacks and go upwards.
void write_backtrace(std::uint64_t frame_pointer) {
  const auto low = reinterpret_cast<std::uint64_t>(kernel_image_begin);
  const auto high = reinterpret_cast<std::uint64_t>(kernel_image_end) - 16;
  for (unsigned i = 0; i < kMaxFrames; ++i) {
    const bool on_stack =
        (frame_pointer >= low && frame_pointer <= high) || is_core_stack(frame_pointer);
    if (!on_stack || frame_pointer % 8 != 0) return;
    const auto* frame = reinterpret_cast<const std::uint64_t*>(frame_pointer);
    if (frame[1] == 0) return;
    write_location(frame[1]);
    if (frame[0] <= frame_pointer) return;
    frame_pointer = frame[0];
  }
}

struct NamedRegister {
  const char* name;
  std::uint64_t value;
};

void write_registers(const KernelFrame& f) {
  const NamedRegister registers[] = {
      {"rax", f.rax},
      {"rbx", f.rbx},
      {"rcx", f.rcx},
      {"rdx", f.rdx},
      {"rsi", f.rsi},
      {"rdi", f.rdi},
      {"rbp", f.rbp},
      {"rsp", f.rsp},
      {"r8", f.r8},
      {"r9", f.r9},
      {"r10", f.r10},
      {"r11", f.r11},
      {"r12", f.r12},
      {"r13", f.r13},
      {"r14", f.r14},
      {"r15", f.r15},
      {"rip", f.rip},
      {"cs", f.cs},
      {"ss", f.ss},
      {"flags", f.rflags},
      {"cr2", cpu::read_cr2()},
      {"cr3", cpu::read_cr3()},
      {"cr4", cpu::read_cr4()},
      {"error", f.error},
  };
  unsigned column = 0;
  for (const NamedRegister& r : registers) {
    FixedText<48> text;
    text << "  " << r.name << ' ' << Hex{r.value} << (++column % 4 == 0 ? "\n" : "");
    console_write(text.text());
  }
}

const char* vector_name(unsigned vector) {
  static constexpr const char* kNames[] = {
      "divide error",
      "debug",
      "NMI",
      "breakpoint",
      "overflow",
      "bound range",
      "invalid opcode",
      "no FPU",
      "double fault",
      "coprocessor segment",
      "invalid TSS",
      "segment not present",
      "stack fault",
      "general protection",
      "page fault",
      "reserved",
      "x87 error",
      "alignment check",
      "machine check",
      "SIMD error",
  };
  return vector < std::size(kNames) ? kNames[vector] : "exception";
}

void open_report(std::string_view reason) {
  asm volatile("cli");
  halt_other_cores();
  console_init();
  console_write("\n[kernel] PANIC: ");
  console_write(reason);
  console_write("\n");
}

}  // namespace

void panic(std::string_view reason) {
  open_report(reason);
  const auto frame = reinterpret_cast<std::uint64_t>(__builtin_frame_address(0));
  console_write("[kernel] backtrace:\n");
  write_backtrace(frame);
  cpu::halt_forever();
}

void refuse_to_boot(std::string_view reason) {
  open_report(reason);
  cpu::halt_forever();
}

extern "C" [[noreturn]] void trap_in_kernel(const KernelFrame* frame, unsigned vector) {
  if (machine_halts()) cpu::halt_forever();  // another core reports
  FixedText<96> reason;
  reason << vector_name(vector) << (frame->cs & 3 ? " (in user mode)" : " in the kernel");
  open_report(reason.text());
  write_registers(*frame);
  console_write("[kernel] backtrace:\n");
  write_location(frame->rip);
  write_backtrace(frame->rbp);
  cpu::halt_forever();
}

// Called by compiled code for a pure virtual call or an unreachable path of the library.
extern "C" void abort() {
  panic("abort");
}

}  // namespace lona::kernel
