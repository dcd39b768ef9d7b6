// SPDX-License-Identifier: BSD-2-Clause
// A thread that makes random system calls for as long as it lives.
#pragma once

#include "abi/sel4/types.hpp"
#include "kernel/testing/random_calls.hpp"

namespace lona::fuzz {

// A puppet's whole writable memory, at the same address in its own space and in the root task's.
struct alignas(8192) PuppetMemory {
  abi::IpcBuffer buffer = {};  // first: the page is also the IPC buffer's frame
  abi::Word calls = 0;
  kernel::testing::CallGenerator generator;
  alignas(4096) char stack[4096] = {};
};
static_assert(sizeof(PuppetMemory) == 2 * 4096);

// A thread below all puppets: when nobody else can run it gives them something new to do, by the
// capabilities in its slots 1 … `count`. Nothing of it is within the puppets' reach.
[[noreturn]] void nurse_main(PuppetMemory* puppets, abi::Word count);

// Where puppets start. What they run lies in the image's read-only part; the stack pointer alone
// says which memory is theirs.
extern "C" [[noreturn]] void puppet_entry();
inline abi::Word puppet_stack(const PuppetMemory& memory) {
  return reinterpret_cast<abi::Word>(memory.stack + sizeof(memory.stack)) - 8;
}

}  // namespace lona::fuzz
