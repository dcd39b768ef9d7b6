// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/sched/kernel_lock.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace lona::kernel {
namespace {

TEST(KernelLock, OneHolderAtATime) {
  constexpr unsigned kThreads = 4, kRounds = 2000;
  KernelLock lock;
  unsigned count = 0;  // not atomic: the lock alone keeps it right
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (unsigned round = 0; round < kRounds; ++round) {
        lock.acquire([] { std::this_thread::yield(); });
        ++count;
        lock.release();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, kThreads * kRounds);
}

TEST(KernelLock, WaitersAreServedInTheirOrderAndAreSeen) {
  KernelLock lock;
  std::vector<int> order;
  lock.acquire([] {});
  EXPECT_FALSE(lock.contended());
  std::atomic<int> waiting{0};
  const auto wait_in_line = [&](int name) {
    return std::thread([&, name] {
      bool told = false;
      lock.acquire([&] {
        if (!told) ++waiting;
        told = true;
        std::this_thread::yield();
      });
      order.push_back(name);
      lock.release();
    });
  };
  std::thread first = wait_in_line(1);
  while (waiting != 1) std::this_thread::yield();
  EXPECT_TRUE(lock.contended());
  std::thread second = wait_in_line(2);
  while (waiting != 2) std::this_thread::yield();
  lock.release();
  first.join();
  second.join();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

}  // namespace
}  // namespace lona::kernel
