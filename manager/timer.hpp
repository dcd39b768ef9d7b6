// SPDX-License-Identifier: BSD-2-Clause
// The machine's one timer (8254, channel 0, one shot) serves the deadlines of all realms.
#pragma once

#include <array>

#include "manager/deadlines.hpp"
#include "manager/lock.hpp"
#include "manager/memory.hpp"
#include "manager/pit.hpp"

namespace lona::manager {

[[nodiscard]] inline std::uint64_t now_tick() {
  return __builtin_ia32_rdtsc();
}

class Timer {
 public:
  // Takes the timer's ports and interrupt.
  [[nodiscard]] base::Expected<void, MemoryError> start(Memory& memory, abi::CPtr lock);

  // The counter's rate where the kernel did not tell: counts it for 10 ms. Before `start` is done.
  [[nodiscard]] std::uint64_t measure_tsc() const;
  void set_rate(std::uint64_t tsc_hertz) { tsc_hertz_ = tsc_hertz; }
  [[nodiscard]] std::uint64_t rate() const { return tsc_hertz_; }

  // `signal` is the cap that wakes that one.
  void join(std::size_t who, abi::CPtr signal) { signals_[who] = signal; }
  void leave(std::size_t who);
  void set_deadline(std::size_t who, std::uint64_t tick);

  // Serves interrupts for ever.
  [[noreturn]] void run();
  [[nodiscard]] const Lock& lock() const { return lock_; }

 private:
  void serve_due();
  void arm(std::uint64_t tick);

  Lock lock_;
  Deadlines deadlines_;
  std::array<abi::CPtr, Deadlines::kMax> signals_{};
  std::uint64_t armed_for_ = abi::kNoDeadlineTick;
  std::uint64_t tsc_hertz_ = 0;
  KernelObject notification_;
  abi::CPtr irq_ = 0;
  abi::CPtr ports_ = 0;
};

}  // namespace lona::manager
