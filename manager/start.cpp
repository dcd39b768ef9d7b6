// SPDX-License-Identifier: BSD-2-Clause
// The first instructions, and what the freestanding C++ runtime asks of a program.
//
// The kernel enters with the address of the boot info in rdi and no stack. Each thread's thread
// pointer (fs) holds the address of its IPC buffer, whose `user_data` word repeats that address:
// so a thread finds its buffer with one load.
#include <cstddef>
#include <cstdlib>

#include "abi/sel4/boot_info.hpp"
#include "abi/sel4/objects.hpp"
#include "manager/function_names.hpp"
#include "manager/own_thread.hpp"

extern "C" {
// Where this program starts (manager.ld), and the table of its functions (own_function_names.S).
extern const std::byte image_start[];
extern const std::byte function_names_start[];
extern const std::byte function_names_end[];
alignas(16) char manager_stack[32768];
[[noreturn]] void manager_main(const lona::abi::BootInfo* info);
}

asm(R"(
.section .text.start, "ax"
.globl _start
_start:
    leaq manager_stack + 32768(%rip), %rsp
    xorl %ebp, %ebp
    call manager_main
    ud2
.text
)");

void abort() noexcept {
  // The guardian hears of it.
  __builtin_trap();
}

namespace lona::manager {

FunctionNames own_function_names() {
  return {reinterpret_cast<std::uint64_t>(image_start), {function_names_start, function_names_end}};
}

}  // namespace lona::manager

namespace lona::abi {

IpcBuffer& ipc_buffer() {
  IpcBuffer* buffer = nullptr;
  asm("movq %%fs:%c1, %0" : "=r"(buffer) : "i"(offsetof(IpcBuffer, user_data)));
  return *buffer;
}

}  // namespace lona::abi

namespace lona::manager {

void adopt_ipc_buffer(abi::IpcBuffer* buffer) {
  buffer->user_data = reinterpret_cast<abi::Word>(buffer);
  // By invocation: the system call of that purpose is not part of every configuration.
  (void)abi::tcb_set_tls_base(abi::kSlotInitTcb, reinterpret_cast<abi::Word>(buffer));
}

}  // namespace lona::manager
