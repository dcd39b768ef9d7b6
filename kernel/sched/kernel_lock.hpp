// SPDX-License-Identifier: BSD-2-Clause
// The one lock of the kernel: a ticket lock, so that cores get it in the order in which they asked.
// A core waits at most for the others' current operations, since long ones end at a preemption
// point when somebody waits (arch::interrupt_pending()).
#pragma once

#include <atomic>
#include <cstdint>

namespace lona::kernel {

class KernelLock {
 public:
  // `wait` is called now and then meanwhile: other cores may want an answer from this one. In
  // between it only looks, since the others' operations are short and `wait` may take longer: under
  // an emulator a pause does.
  template <typename Wait>
  void acquire(Wait&& wait) {
    const std::uint32_t ticket = next_.fetch_add(1, std::memory_order_relaxed);
    for (unsigned look = 1; serving_.load(std::memory_order_acquire) != ticket; ++look) {
      if (look % kLooks == 0) wait();
    }
  }
  void release() {
    serving_.store(serving_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  // Does anybody wait? Asked by the holder.
  bool contended() const {
    return next_.load(std::memory_order_relaxed) - serving_.load(std::memory_order_relaxed) > 1;
  }

 private:
  static constexpr unsigned kLooks = 64;
  std::atomic<std::uint32_t> next_{0};
  // On a line of its own: those who wait read it, those who come write the other.
  alignas(64) std::atomic<std::uint32_t> serving_{0};
};

}  // namespace lona::kernel
