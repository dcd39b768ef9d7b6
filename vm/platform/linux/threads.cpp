// SPDX-License-Identifier: BSD-2-Clause
// Workers as threads of the host.
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "vm/platform/linux/linux.hpp"

namespace lona::vm::platform {

namespace {

struct Sleeper {
  std::mutex mutex;
  std::condition_variable condition;
  bool roused = false;
};
constexpr unsigned kMostWorkers = 64;

// Neither is ever destroyed: threads may outlive main's end.
Sleeper* sleepers() {
  static auto* all = new Sleeper[kMostWorkers];
  return all;
}
std::vector<std::thread>& threads() {
  static auto* all = new std::vector<std::thread>;
  return *all;
}

}  // namespace

unsigned worker_count() {
  return settings().workers;
}

bool start_worker(unsigned number, void (*body)(void*), void* argument) {
  if (number >= kMostWorkers) return false;
  open_wake_pipe();
  sleepers();
  threads().emplace_back(body, argument);
  return true;
}

void join_workers() {
  for (std::thread& thread : threads()) thread.join();
  threads().clear();
}

void nap(unsigned number, std::uint64_t deadline_ns) {
  Sleeper& s = sleepers()[number];
  std::unique_lock lock(s.mutex);
  if (!s.roused && deadline_ns == kNoDeadline) {
    s.condition.wait(lock, [&] { return s.roused; });
  } else if (!s.roused) {
    const std::uint64_t now = now_ns();
    if (deadline_ns > now) {
      s.condition.wait_for(lock, std::chrono::nanoseconds(deadline_ns - now),
                           [&] { return s.roused; });
    }
  }
  s.roused = false;
}

void rouse(unsigned number) {
  if (number == 0) return rouse_first();
  Sleeper& s = sleepers()[number];
  {
    const std::lock_guard lock(s.mutex);
    s.roused = true;
  }
  s.condition.notify_one();
}

bool first_is_wanted() {
  return false;
}

void yield_thread() {
  std::this_thread::yield();
}

}  // namespace lona::vm::platform
