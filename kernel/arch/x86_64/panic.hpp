// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <string_view>

// The end: says why on the console, with registers and a symbolised backtrace, and halts.

namespace lona::kernel {

[[noreturn]] void panic(std::string_view reason);

// The registers at an exception in the kernel, as the entry code pushes them.
struct KernelFrame {
  std::uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
  std::uint64_t error, rip, cs, rflags, rsp, ss;
};

// Stops with a text for the person at the machine, when the fault is not the kernel's own.
[[noreturn]] void refuse_to_boot(std::string_view reason);

}  // namespace lona::kernel
