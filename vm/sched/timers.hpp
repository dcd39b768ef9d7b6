// SPDX-License-Identifier: BSD-2-Clause
// Sleeping processes by deadline: a binary heap whose entries know their place, so that a wake-up
// before time costs O(log n) too. A process has at most one timer.
#pragma once

#include "vm/heap/allocator.hpp"
#include "vm/process/process.hpp"

namespace lona::vm {

class Timers {
 public:
  static constexpr std::uint32_t kNone = ~0u;

  explicit Timers(Allocator& allocator) : allocator_(allocator) {}
  ~Timers();

  // Sets or moves the timer of a process; false without memory.
  bool set(Process& p, std::uint64_t deadline_ns);
  void cancel(Process& p);
  bool empty() const { return count_ == 0; }
  std::uint64_t next_deadline() const { return heap_[0].deadline; }
  // Takes out the earliest if its deadline is not after `now`; else null.
  Process* take_due(std::uint64_t now);

 private:
  struct Entry {
    std::uint64_t deadline;
    Process* process;
  };
  void place(std::uint32_t i, Entry e) {
    heap_[i] = e;
    e.process->timer_index_ = i;
  }
  void up(std::uint32_t i);
  void down(std::uint32_t i);

  Allocator& allocator_;
  Entry* heap_ = nullptr;
  std::uint32_t count_ = 0, capacity_ = 0;
};

}  // namespace lona::vm
