// SPDX-License-Identifier: BSD-2-Clause
// The first instructions of the realm's workers, and what the freestanding C++ runtime asks of a
// program. The manager enters at _start with a stack, the address of the start block in rdi and the
// worker's number in rsi.
#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

#include "vm/platform/sel4/manager.hpp"
#include "vm/platform/sel4/platform_state.hpp"

extern "C" {
[[noreturn]] void realm_main(const lona::abi::StartBlock* block, std::uint64_t worker);
[[noreturn]] void __cxa_pure_virtual();
}

asm(R"(
.section .text.start, "ax"
.globl _start
_start:
    xorl %ebp, %ebp
    jmp realm_main      # the stack is as after a call
.text
)");

namespace lona::abi {

// A worker's area is aligned to its size and starts with the buffer, and its stack lies within.
IpcBuffer& ipc_buffer() {
  const auto stack = reinterpret_cast<Address>(__builtin_frame_address(0));
  return *reinterpret_cast<IpcBuffer*>(stack & ~(kWorkerAreaSize - 1));
}

}  // namespace lona::abi

namespace lona::vm::platform {

void*& thread_slot() {
  const auto buffer = reinterpret_cast<abi::Address>(&abi::ipc_buffer());
  return *reinterpret_cast<void**>(buffer + abi::worker_thread_block(0) -
                                   abi::worker_ipc_buffer(0) + abi::kThreadSlotOffset);
}

void manager_log(std::string_view text) {
  text = text.substr(0, abi::kLogMax);
  std::uint64_t words[1 + abi::kLogMax / 8] = {text.size()};
  std::memcpy(words + 1, text.data(), text.size());
  const auto length = static_cast<unsigned>(1 + (text.size() + 7) / 8);
  for (unsigned at = abi::kMsgRegisters; at < length; ++at) {
    abi::ipc_buffer().msg[at] = words[at];
  }
  (void)ask_manager(abi::Request::kLog, length, {words[0], words[1], words[2], words[3]});
}

void manager_exit(std::uint64_t status) {
  (void)ask_manager(abi::Request::kExit, 1, {status, 0, 0, 0});
  __builtin_trap();  // the manager never answers
}

}  // namespace lona::vm::platform

void realm_main(const lona::abi::StartBlock* block, std::uint64_t worker) {
  if (block->magic != lona::abi::kStartMagic) {
    __builtin_trap();  // the manager reports it with the address
  }
  if (worker != 0) {
    lona::vm::platform::run_worker(static_cast<unsigned>(worker));
  }
  lona::vm::platform::start_memory();
  lona::vm::platform::start_console();
  lona::vm::vm_main();
}

// What the headers of the standard library call instead of throwing.
namespace std {
void __throw_out_of_range_fmt(const char* text, ...) {
  lona::vm::platform::panic(text);
}
void __throw_length_error(const char* text) {
  lona::vm::platform::panic(text);
}
void __throw_logic_error(const char* text) {
  lona::vm::platform::panic(text);
}
}  // namespace std

void abort() noexcept {
  lona::vm::platform::panic("abort");
}

void __cxa_pure_virtual() {
  lona::vm::platform::panic("call of a pure virtual function");
}

// Destructors of classes with virtual functions refer to it; nothing here is made by `new`.
void operator delete(void*, std::size_t) noexcept {
  lona::vm::platform::panic("operator delete without operator new");
}
