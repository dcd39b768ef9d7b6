// SPDX-License-Identifier: BSD-2-Clause
#include "systems/root_task.hpp"

extern "C" {
alignas(16) char root_stack[16384];
}

asm(R"(
.section .text.start, "ax"
.globl _start
_start:
    leaq root_stack + 16384(%rip), %rsp
    xorl %ebp, %ebp
    call root_main
    ud2
.text
)");

namespace lona::root {

const abi::BootInfo* info = nullptr;

namespace {
CPtr next_slot = 0;
}

CPtr new_slot() {
  if (next_slot == 0) next_slot = info->empty.start;
  return next_slot++;
}

CPtr slot_mark() {
  return next_slot;
}

void slot_release(CPtr mark) {
  next_slot = mark;
}

abi::SlotAddress slot_address(CPtr slot) {
  return {abi::kSlotInitCNode, slot, abi::kWordBits};
}

CPtr largest_untyped() {
  unsigned best = 0;
  CPtr untyped = 0;
  for (CPtr i = 0; i < info->untyped.end - info->untyped.start; ++i) {
    const abi::UntypedDesc& desc = info->untyped_list[i];
    if (desc.is_device == 0 && desc.size_bits > best) {
      best = desc.size_bits;
      untyped = info->untyped.start + i;
    }
  }
  return untyped;
}

void print_number(Word number, void (*print)(std::string_view text)) {
  char digits[20];
  unsigned at = sizeof(digits);
  do {
    digits[--at] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  print({digits + at, sizeof(digits) - at});
}

}  // namespace lona::root

namespace lona::abi {

// Only the first thread makes calls with capabilities or more than four words.
IpcBuffer& ipc_buffer() {
  return *root::info->ipc_buffer;
}

}  // namespace lona::abi

extern "C" [[noreturn]] void abort() {
  __builtin_trap();
}
