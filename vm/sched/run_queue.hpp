// SPDX-License-Identifier: BSD-2-Clause
// The processes that wait for one worker, in three bands of priority: high ones (above 150) always
// go first, low ones (below 50) get one turn in eight as long as others want to run.
#pragma once

#include "vm/process/process.hpp"
#include "vm/sched/lock.hpp"

namespace lona::vm {

class RunQueue {
 public:
  void push(Process& p, bool several) {
    Guard guard(lock_, several);
    Band& band = bands_[band_of(p)];
    p.queue_next_ = nullptr;
    (band.last == nullptr ? band.first : band.last->queue_next_) = &p;
    band.last = &p;
    add(1);
  }

  // Who runs next; null when nobody waits.
  Process* pop(bool several) {
    if (empty()) return nullptr;
    Guard guard(lock_, several);
    Band* band = next_band();
    return band == nullptr ? nullptr : take(*band, nullptr, band->first);
  }

  // For another worker: the first that may leave this one.
  Process* steal() {
    if (empty()) return nullptr;
    Guard guard(lock_);
    for (Band& band : bands_) {
      Process* before = nullptr;
      unsigned looks = 0;
      for (Process* p = band.first; p != nullptr && looks < kMostLooks;
           p = p->queue_next_, ++looks) {
        if (!p->pinned_) return take(band, before, p);
        before = p;
      }
    }
    return nullptr;
  }

  // Moves so many of the first in the middle band to its end: for tests that want another order.
  void rotate(std::uint32_t count) {
    Band& band = bands_[1];
    for (; count > 0 && band.first != band.last; --count) {
      Process* p = band.first;
      band.first = p->queue_next_;
      p->queue_next_ = nullptr;
      band.last->queue_next_ = p;
      band.last = p;
    }
  }

  std::uint32_t length() const { return length_.load(std::memory_order_relaxed); }
  bool empty() const { return length() == 0; }

 private:
  struct Band {
    Process* first = nullptr;
    Process* last = nullptr;
  };
  static constexpr unsigned kLowTurn = 8;
  static constexpr unsigned kMostLooks = 8;

  static unsigned band_of(const Process& p) {
    return p.priority_ > 150 ? 0 : p.priority_ >= 50 ? 1 : 2;
  }
  Band* next_band() {
    if (bands_[0].first != nullptr) return &bands_[0];
    bool low_first = bands_[2].first != nullptr && ++turn_ % kLowTurn == 0;
    if (bands_[1].first != nullptr && !low_first) return &bands_[1];
    return bands_[2].first != nullptr ? &bands_[2] : nullptr;
  }
  Process* take(Band& band, Process* before, Process* p) {
    (before == nullptr ? band.first : before->queue_next_) = p->queue_next_;
    if (band.last == p) band.last = before;
    add(-1);
    return p;
  }
  // Written with the lock held, read without.
  void add(int n) {
    length_.store(length() + static_cast<std::uint32_t>(n), std::memory_order_relaxed);
  }

  SpinLock lock_;
  Band bands_[3];
  unsigned turn_ = 0;
  std::atomic<std::uint32_t> length_{0};
};

}  // namespace lona::vm
