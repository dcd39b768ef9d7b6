// SPDX-License-Identifier: BSD-2-Clause
// The first instructions of the realm's workers, and what the freestanding C++ runtime asks of a
// program. The manager enters at _start with a stack, the address of the start block in rdi and the
// worker's number in rsi; a helper's has its own (helpers.cpp), with its area's address in rdi.
#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

#include "vm/platform/sel4/kernel_answer.hpp"
#include "vm/platform/sel4/manager.hpp"
#include "vm/platform/sel4/platform_state.hpp"

extern "C" {
[[noreturn]] void realm_main(const lona::abi::StartBlock* block, std::uint64_t worker);
// After a fault that the manager cannot serve (abi::kLastWordsEntry).
[[noreturn]] void realm_say_last_words(std::uint64_t frame, std::uint64_t code,
                                       std::uint64_t process);
[[noreturn]] void __cxa_pure_virtual();
}

asm(R"(
.section .text.start, "ax"
.globl _start
_start:
    xorl %ebp, %ebp
    cmpq $64, %rsi      # kFirstHelper: a helper's stack is small
    jae helper_main
    jmp realm_main      # the stack is as after a call
.globl realm_last_words
.type realm_last_words, @function
realm_last_words:
    movq %r12, %rdi     # of the interpreter's calling convention: its frame,
    movq %r13, %rsi     # where it is in the code,
    movq %r14, %rdx     # and the process
    jmp realm_say_last_words
.size realm_last_words, . - realm_last_words
.text
)");

static_assert(lona::abi::kFirstHelper == 64);

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

namespace {

// Words of a request, the last of them bytes behind their number.
template <std::size_t kMost>
class TextRequest {
 public:
  void put(std::uint64_t word) { words_[length_++] = word; }
  void put(std::string_view text) {
    text = text.substr(0, kMost);
    put(text.size());
    std::memcpy(words_ + length_, text.data(), text.size());
    length_ += static_cast<unsigned>((text.size() + 7) / 8);
  }
  void ask(abi::Request request) const {
    (void)ask_manager(request, length_, put_words({words_, length_}, abi::ipc_buffer()));
  }

 private:
  unsigned length_ = 0;
  std::uint64_t words_[std::max<std::size_t>(2 + (kMost + 7) / 8, abi::kMsgRegisters)] = {};
};

}  // namespace

void manager_log(std::string_view text) {
  TextRequest<abi::kLogMax> request;
  request.put(text);
  request.ask(abi::Request::kLog);
}

void manager_exit(std::uint64_t status, std::string_view text) {
  TextRequest<abi::kEndTextMax> request;
  request.put(status);
  request.put(text);
  request.ask(abi::Request::kExit);
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

void realm_say_last_words(std::uint64_t frame, std::uint64_t code, std::uint64_t process) {
  using namespace lona::vm::platform;
  char text[lona::abi::kEndTextMax];
  const std::size_t length = last_words({.frame = frame, .code = code, .process = process}, text);
  manager_exit(1, {text, length});
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
