// SPDX-License-Identifier: BSD-2-Clause
// Threads of the manager itself, each with a stack between guards and an IPC buffer below it.
#pragma once

#include "manager/address_space.hpp"
#include "manager/thread_share.hpp"

namespace lona::manager {

// The program's thread pointer names its IPC buffer (see start.cpp).
void adopt_ipc_buffer(abi::IpcBuffer* buffer);

// Makes a scheduling context of that share.
[[nodiscard]] base::Expected<KernelObject, MemoryError> make_sched_context(Memory& memory,
                                                                           abi::CPtr control,
                                                                           ThreadShare share);

// Gives a scheduling context another share.
[[nodiscard]] abi::Error configure_sched_context(abi::CPtr control, abi::CPtr sched_context,
                                                 ThreadShare share);

class OwnThread {
 public:
  using Entry = void (*)(void* argument);

  // So much of the address space belongs to one thread: its buffer, a guard, its stack.
  static constexpr abi::Word kAreaSize = 0x2'0000;

  // Starts `entry(argument)`, which never returns, with buffer and stack at `area`. Its faults go
  // to `fault_handler`, unless that is 0.
  [[nodiscard]] base::Expected<void, MemoryError> start(Memory& memory, AddressSpace& own,
                                                        abi::CPtr control, abi::Word area,
                                                        ThreadShare share, Entry entry,
                                                        void* argument, abi::CPtr fault_handler);
  // Whatever it was at, it begins anew with that.
  [[nodiscard]] abi::Error restart(Entry entry, void* argument) const;

  [[nodiscard]] abi::CPtr tcb() const { return tcb_.cap; }
  [[nodiscard]] abi::CPtr sched_context() const { return sched_context_.cap; }

  // As this_thread() names it.
  [[nodiscard]] abi::Word area() const { return area_; }

 private:
  abi::Word area_ = 0;
  KernelObject tcb_;
  KernelObject sched_context_;
  FrameRun stack_;
  FrameRun buffer_;
};

}  // namespace lona::manager
