// SPDX-License-Identifier: BSD-2-Clause
// Threads of the manager itself, each with a stack between guards and an IPC buffer below it.
#pragma once

#include "manager/address_space.hpp"

namespace lona::manager {

struct ThreadShare {
  std::uint64_t priority;
  std::uint64_t budget_us;
  std::uint64_t period_us;  // equal to the budget: round robin without a limit
};

// The program's thread pointer names its IPC buffer (see start.cpp).
void adopt_ipc_buffer(abi::IpcBuffer* buffer);

// Makes a scheduling context of that share.
[[nodiscard]] base::Expected<KernelObject, MemoryError> make_sched_context(Memory& memory,
                                                                           abi::CPtr control,
                                                                           ThreadShare share);

class OwnThread {
 public:
  using Entry = void (*)(void* argument);

  // Starts `entry(argument)`, which never returns. `index` says which part of the address space
  // the thread's stack lies in; it belongs to one thread only.
  [[nodiscard]] base::Expected<void, MemoryError> start(Memory& memory, AddressSpace& own,
                                                        abi::CPtr control, std::uint64_t index,
                                                        ThreadShare share, Entry entry,
                                                        void* argument);

 private:
  KernelObject tcb_;
  KernelObject sched_context_;
  FrameRun stack_;
  FrameRun buffer_;
};

}  // namespace lona::manager
