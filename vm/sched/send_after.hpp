// SPDX-License-Identifier: BSD-2-Clause
// Messages that are sent at a time: found by their reference, so that they can be taken back.
#pragma once

#include "vm/heap/allocator.hpp"
#include "vm/heap/fragment.hpp"
#include "vm/sched/timers.hpp"

namespace lona::vm {

struct MessageTimer : Timer {
  std::uint64_t ref;
  Term target;        // a pid, or a symbol: the process of that name when the time comes
  Fragment* message;  // in no mailbox yet
  MessageTimer* chain;
  bool taken = false;  // it fires just now
};

// Hash table from a reference's number to its timer.
class MessageTimers {
 public:
  explicit MessageTimers(Allocator& allocator) : allocator_(allocator) {}
  ~MessageTimers();

  // A timer, not yet set; null without memory.
  MessageTimer* add(std::uint64_t ref, Term target, Fragment* message);
  MessageTimer* find(std::uint64_t ref) const;
  // Forgets and frees a timer that is not set; its message stays the caller's. `freeing`: the
  // calling worker's.
  void remove(MessageTimer* timer, Allocator& freeing);
  template <typename F>
  void each(F f) const {
    for (std::size_t i = 0; i < capacity_; ++i) {
      for (MessageTimer* t = heads_[i]; t != nullptr; t = t->chain) f(*t);
    }
  }
  std::size_t count() const { return count_; }

 private:
  MessageTimer*& head(std::uint64_t ref) const { return heads_[ref & (capacity_ - 1)]; }
  bool grow();

  Allocator& allocator_;
  MessageTimer** heads_ = nullptr;
  std::size_t capacity_ = 0;  // a power of two, or 0
  std::size_t count_ = 0;
};

}  // namespace lona::vm
