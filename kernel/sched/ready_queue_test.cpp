// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/sched/ready_queue.hpp"

#include <gtest/gtest.h>

#include <list>
#include <memory>
#include <random>
#include <vector>

namespace lona::kernel {
namespace {

TEST(ReadyQueue, BehavesAsAListPerPriority) {
  constexpr unsigned kThreads = 200;
  std::unique_ptr<Tcb[]> threads(new Tcb[kThreads]());
  std::mt19937 random(3);
  for (unsigned i = 0; i < kThreads; ++i) {
    threads[i].priority = static_cast<std::uint8_t>(i % 3 == 0 ? random() % 256 : random() % 4);
  }
  ReadyQueue queue;
  std::vector<std::list<Tcb*>> model(256);
  for (int step = 0; step < 20000; ++step) {
    Tcb& tcb = threads[random() % kThreads];
    auto& list = model[tcb.priority];
    if (tcb.in_ready_queue) {
      queue.remove(tcb);
      list.remove(&tcb);
    } else if (random() % 2) {
      queue.append(tcb);
      list.push_back(&tcb);
    } else {
      queue.prepend(tcb);
      list.push_front(&tcb);
    }
    int highest = 255;
    while (highest >= 0 && model[highest].empty()) --highest;
    ASSERT_EQ(queue.empty(), highest < 0);
    if (highest >= 0) {
      ASSERT_EQ(queue.highest(), static_cast<unsigned>(highest));
      ASSERT_EQ(queue.first(), model[highest].front());
    }
    Tcb* at = queue.first_of(tcb.priority);
    for (Tcb* expected : list) {
      ASSERT_EQ(at, expected);
      at = at->ready_next;
    }
    ASSERT_EQ(at, nullptr);
  }
}

}  // namespace
}  // namespace lona::kernel
