// SPDX-License-Identifier: BSD-2-Clause
// A lock for short critical sections between workers. With one worker nobody takes it.
#pragma once

#include <atomic>

#include "vm/platform/platform.hpp"

namespace lona::vm {

class SpinLock {
 public:
  void lock() {
    for (unsigned tries = 0; flag_.test_and_set(std::memory_order_acquire); ++tries) {
      __builtin_ia32_pause();
      // Whoever holds it may have lost the processor.
      if (tries % 256 == 255) platform::yield_thread();
    }
  }
  void unlock() { flag_.clear(std::memory_order_release); }

 private:
  std::atomic_flag flag_;
};

class Guard {
 public:
  explicit Guard(SpinLock& lock, bool needed = true) : lock_(needed ? &lock : nullptr) {
    if (lock_ != nullptr) lock_->lock();
  }
  ~Guard() {
    if (lock_ != nullptr) lock_->unlock();
  }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

 private:
  SpinLock* lock_;
};

}  // namespace lona::vm
