// SPDX-License-Identifier: BSD-2-Clause
// Workers of a realm: one thread on each core that the manager has given it. They sleep on
// notifications of their own. The manager knows one deadline of a realm, the first worker's, so
// that one also looks after the others' deadlines.
#include <algorithm>

#include "vm/platform/sel4/manager.hpp"
#include "vm/platform/sel4/platform_state.hpp"

namespace lona::vm::platform {

namespace {

struct Thread {
  std::atomic<void (*)(void*)> body{nullptr};
  void* argument = nullptr;
  std::atomic<std::uint64_t> nap_ends{kNoDeadline};
};
constinit Thread g_threads[abi::kRealmWorkersMax];
std::atomic<unsigned> g_running{0};
std::atomic<ConsoleWork*> g_work{nullptr};  // newest first

}  // namespace

unsigned current_worker() {
  const auto stack = reinterpret_cast<abi::Address>(__builtin_frame_address(0));
  return static_cast<unsigned>((stack - abi::kWorkerAreas) / abi::kWorkerAreaSize);
}

unsigned worker_count() {
  return std::clamp<unsigned>(start_block().workers, 1, abi::kRealmWorkersMax);
}

void run_worker(unsigned number) {
  Thread& self = g_threads[number];
  for (;;) {
    while (self.body.load() == nullptr) {
      (void)abi::wait(abi::worker_slot(number));
    }
    self.body.load()(self.argument);
    self.body.store(nullptr);
    g_running.fetch_sub(1);
  }
}

bool start_worker(unsigned number, void (*body)(void*), void* argument) {
  if (number == 0 || number >= worker_count()) {
    return false;
  }
  g_running.fetch_add(1);
  g_threads[number].argument = argument;
  g_threads[number].body.store(body);
  abi::signal(abi::worker_slot(number));
  return true;
}

void join_workers() {
  while (g_running.load() != 0) {
    yield_thread();
  }
}

void nap(unsigned number, std::uint64_t deadline_ns) {
  if (deadline_ns != kNoDeadline) {
    g_threads[number].nap_ends.store(deadline_ns);
    rouse_first();  // which may sleep for longer
  }
  (void)abi::wait(abi::worker_slot(number));
  g_threads[number].nap_ends.store(kNoDeadline);
}

void rouse(unsigned number) {
  if (number == 0) {
    rouse_first();
  } else {
    abi::signal(abi::worker_slot(number));
  }
}

std::uint64_t earliest_nap() {
  std::uint64_t earliest = kNoDeadline;
  for (unsigned at = 1; at < worker_count(); ++at) {
    earliest = std::min(earliest, g_threads[at].nap_ends.load());
  }
  return earliest;
}

void end_naps(std::uint64_t now) {
  for (unsigned at = 1; at < worker_count(); ++at) {
    Thread& thread = g_threads[at];
    if (thread.nap_ends.load() <= now) {
      thread.nap_ends.store(kNoDeadline);
      rouse(at);
    }
  }
}

void ask_first(ConsoleWork& work) {
  work.next = g_work.load();
  while (!g_work.compare_exchange_weak(work.next, &work)) {
  }
  rouse_first();
  while (!work.done.load()) {
    __builtin_ia32_pause();
  }
}

bool first_is_wanted() {
  return g_work.load(std::memory_order_relaxed) != nullptr;
}

void serve_others() {
  if (!first_is_wanted()) {
    return;
  }
  ConsoleWork* newest = g_work.exchange(nullptr);
  ConsoleWork* oldest = nullptr;
  while (newest != nullptr) {
    ConsoleWork* next = newest->next;
    newest->next = oldest;
    oldest = newest;
    newest = next;
  }
  while (oldest != nullptr) {
    ConsoleWork& work = *oldest;
    oldest = work.next;
    work.run(work);
    work.done.store(true);  // from here on it is gone
  }
}

// Each worker has a core of its own, so waiting for another one needs no processor time of it.
void yield_thread() {
  if (current_worker() == 0) {
    serve_others();
  }
  __builtin_ia32_pause();
}

}  // namespace lona::vm::platform
