// SPDX-License-Identifier: BSD-2-Clause
// Threads that are ready to run: one first-in first-out list a priority, and a two-level bitmap of
// the priorities in use, so that every operation takes constant time. The running thread is not in
// the queue.
#pragma once

#include <array>
#include <bit>

#include "kernel/object/tcb.hpp"

namespace lona::kernel {

class ReadyQueue {
 public:
  bool empty() const { return top_ == 0; }
  // Highest priority with a thread; the queue is not empty.
  unsigned highest() const {
    const unsigned word = 63 - static_cast<unsigned>(std::countl_zero(top_));
    return word * 64 + 63 - static_cast<unsigned>(std::countl_zero(bits_[word]));
  }
  Tcb* first() const { return empty() ? nullptr : lists_[highest()].head; }
  Tcb* first_of(unsigned priority) const { return lists_[priority].head; }

  // All threads are of the domain that runs; see DomainReadyQueues.
  bool runs(const Tcb&) const { return true; }
  void run_domain(unsigned) {}

  void append(Tcb& tcb) {
    if (tcb.in_ready_queue) return;
    List& list = lists_[tcb.priority];
    tcb.ready_prev = list.tail;
    tcb.ready_next = nullptr;
    (list.tail != nullptr ? list.tail->ready_next : list.head) = &tcb;
    list.tail = &tcb;
    mark(tcb);
  }
  void prepend(Tcb& tcb) {
    if (tcb.in_ready_queue) return;
    List& list = lists_[tcb.priority];
    tcb.ready_prev = nullptr;
    tcb.ready_next = list.head;
    (list.head != nullptr ? list.head->ready_prev : list.tail) = &tcb;
    list.head = &tcb;
    mark(tcb);
  }
  void remove(Tcb& tcb) {
    if (!tcb.in_ready_queue) return;
    List& list = lists_[tcb.priority];
    (tcb.ready_prev != nullptr ? tcb.ready_prev->ready_next : list.head) = tcb.ready_next;
    (tcb.ready_next != nullptr ? tcb.ready_next->ready_prev : list.tail) = tcb.ready_prev;
    tcb.in_ready_queue = false;
    if (list.head == nullptr) {
      Word& word = bits_[tcb.priority / 64];
      word &= ~(Word{1} << (tcb.priority % 64));
      if (word == 0) top_ &= ~(Word{1} << (tcb.priority / 64));
    }
  }

 private:
  struct List {
    Tcb* head = nullptr;
    Tcb* tail = nullptr;
  };

  void mark(Tcb& tcb) {
    tcb.in_ready_queue = true;
    bits_[tcb.priority / 64] |= Word{1} << (tcb.priority % 64);
    top_ |= Word{1} << (tcb.priority / 64);
  }

  List lists_[abi::kNumPriorities];
  Word bits_[abi::kNumPriorities / 64] = {};
  Word top_ = 0;
};

// One queue for each domain. What is asked concerns the domain that runs; threads go where they
// belong.
class DomainReadyQueues {
 public:
  bool empty() const { return running().empty(); }
  unsigned highest() const { return running().highest(); }
  Tcb* first() const { return running().first(); }
  Tcb* first_of(unsigned priority) const { return running().first_of(priority); }
  void append(Tcb& tcb) { queues_[tcb.domain].append(tcb); }
  void prepend(Tcb& tcb) { queues_[tcb.domain].prepend(tcb); }
  void remove(Tcb& tcb) { queues_[tcb.domain].remove(tcb); }

  // May the thread run while the domain that runs now does?
  bool runs(const Tcb& tcb) const { return tcb.domain == running_; }
  void run_domain(unsigned domain) { running_ = domain; }

 private:
  const ReadyQueue& running() const { return queues_[running_]; }

  std::array<ReadyQueue, abi::kNumDomains> queues_;
  unsigned running_ = 0;
};

}  // namespace lona::kernel
