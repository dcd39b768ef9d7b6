// SPDX-License-Identifier: BSD-2-Clause
// What happens when a thread of the manager itself faults? That is a bug of ours, and whatever the
// thread was at is half done.
//
// Faults of all threads go to the guardian's, which says what has happened. A service thread works
// on the memory and the children of its own realm only, so that realm is ended, with all below it,
// and its thread begins anew just to wait until the parent takes the realm down. But a fault of a
// thread that serves all, or the first realm, or that has taken one of the manager's locks or the
// memory of a realm above, stops the system: what it kept cannot be trusted any more.
#pragma once

#include "manager/own_thread.hpp"

namespace lona::manager {

struct Shared;

class Guardian {
 public:
  // Who a thread is, in the badge of its faults.
  static constexpr abi::Word kTimer = 1;
  static constexpr abi::Word kReserves = 2;
  [[nodiscard]] static constexpr abi::Word service_of(std::uint32_t realm) {
    return kServices | realm;
  }

  explicit Guardian(Shared& shared) : shared_(shared) {}
  // Also takes the faults of the first thread, which serves the timer.
  [[nodiscard]] base::Expected<void, MemoryError> start(Memory& memory, abi::CPtr control,
                                                        abi::Word area);
  // A cap for the faults of a thread. Its TCB gets a copy.
  [[nodiscard]] base::Expected<abi::CPtr, MemoryError> handler(Memory& memory, abi::Word who) const;

 private:
  static constexpr abi::Word kServices = abi::Word{1} << 32;

  [[noreturn]] static void run(void* self);
  void serve(const abi::Message& fault);

  Shared& shared_;
  OwnThread thread_;
  KernelObject endpoint_;
  KernelObject reply_;
};

}  // namespace lona::manager
