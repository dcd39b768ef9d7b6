// SPDX-License-Identifier: BSD-2-Clause
// Mutual exclusion between the manager's own threads: a counter, and a notification to sleep on
// when it is contended. The holder never blocks on a realm, so the wait is bounded by the longest
// operation of the manager.
#pragma once

#include <atomic>
#include <cstdint>

#include "abi/sel4/invoke.hpp"

namespace lona::manager {

// Names the thread that asks: where its IPC buffer is.
[[nodiscard]] inline abi::Word this_thread() {
  return reinterpret_cast<abi::Word>(&abi::ipc_buffer());
}

class Lock {
 public:
  void use(abi::CPtr notification) { notification_ = notification; }

  void take() {
    if (claims_.fetch_add(1, std::memory_order_acquire) != 0) {
      (void)abi::wait(notification_);
    }
    holder_.store(this_thread(), std::memory_order_relaxed);
  }
  void release() {
    holder_.store(0, std::memory_order_relaxed);
    if (claims_.fetch_sub(1, std::memory_order_release) != 1) {
      abi::signal(notification_);
    }
  }
  // For a thread that stands still.
  [[nodiscard]] bool held_by(abi::Word thread) const {
    return holder_.load(std::memory_order_relaxed) == thread;
  }

 private:
  std::atomic<std::uint32_t> claims_{0};
  std::atomic<abi::Word> holder_{0};
  abi::CPtr notification_ = 0;
};

class Guard {
 public:
  explicit Guard(Lock& lock) : lock_(lock) { lock_.take(); }
  ~Guard() { lock_.release(); }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

 private:
  Lock& lock_;
};

}  // namespace lona::manager
