// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "kernel/arch/x86_64/context.hpp"

// What one processor core has for itself, reached through its GS base while the kernel runs. The
// entry code uses the first words with fixed offsets, pinned below.

namespace lona::kernel {

struct Core;

// Intel SDM volume 3, 8.7: the 64-bit task state segment.
struct [[gnu::packed]] TaskState {
  std::uint32_t reserved0;
  std::uint64_t rsp[3];
  std::uint64_t reserved1;
  std::uint64_t ist[7];
  std::uint64_t reserved2;
  std::uint16_t reserved3;
  std::uint16_t io_map_base;
};
static_assert(sizeof(TaskState) == 104);

// What a core that holds the kernel lock asks of another one, which answers from its interrupt
// handler or while it waits for the lock. One request at a time, since there is one lock.
struct CoreRequest {
  enum class Kind : std::uint8_t {
    kNone,
    kStop,        // only be in the kernel
    kForgetPage,  // address
    kForgetAll,   // translations of user space
    kLeaveSpace,  // the active address space goes away
    kSaveFpu,     // the registers back into their owner's context
  };
  std::atomic<Kind> kind{Kind::kNone};  // written last by the asker, cleared by the answer
  std::uint64_t address = 0;
};

struct ArchCore {
  Core* self = nullptr;                  // so that the GS base yields a pointer
  UserContext* context = nullptr;        // of the thread that runs
  std::uint64_t kernel_stack_top = 0;    // every entry starts with an empty stack
  std::uint64_t user_stack_pointer = 0;  // for a moment, while a system call enters
  std::uint64_t fault_stack_top = 0;     // for NMI, double fault and machine check
  std::uint64_t active_root = 0;         // top-level table in CR3
  UserContext* fpu_owner = nullptr;      // whose x87 and SSE state the registers hold
  std::uint64_t user_gs_base = 0;        // written last; a thread can change it to 0 only
  bool fpu_enabled = false;
  TaskState task_state{};
  std::array<std::uint64_t, 7> gdt{};
  std::uint32_t apic_id = 0;
  std::atomic<bool> running{false};  // it has reached its idle loop, or user mode
  CoreRequest request;
};
static_assert(offsetof(ArchCore, self) == 0);
static_assert(offsetof(ArchCore, context) == 8);
static_assert(offsetof(ArchCore, kernel_stack_top) == 16);
static_assert(offsetof(ArchCore, user_stack_pointer) == 24);

}  // namespace lona::kernel
