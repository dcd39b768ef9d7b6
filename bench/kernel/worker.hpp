// SPDX-License-Identifier: BSD-2-Clause
// Threads of the benchmark: with an IPC buffer of their own, and in the root task's address space
// or in a second one with the same content, so that a row can be measured with and without a
// switch.
#pragma once

#include "bench/kernel/measure.hpp"

namespace lona::bench {

enum class Space { kSame, kOther };

// The second address space: made at the first call.
CPtr other_space();

class Worker {
 public:
  struct Options {
    Word priority = 200;
    Space space = Space::kSame;
    bool fpu = true;
    CPtr fault_handler = 0;
  };
  Worker(test::Thread::Entry entry, const Options& options, Word argument = 0);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void start() { thread_.start(); }
  // Takes its time away, so that it runs on that of its callers.
  void make_passive();
  CPtr tcb() const { return thread_.tcb(); }
  CPtr sched_context() const { return thread_.sched_context(); }
  test::Thread& thread() { return thread_; }
  IpcBuffer& buffer() const { return *buffer_; }

 private:
  test::Thread thread_;
  IpcBuffer* buffer_;
};

// A thread tells the root task, which waits in wait_for_workers(), that its work is done.
void report_done();
void wait_for_workers();
CPtr done_notification();
// Where a thread's work ends.
[[noreturn]] void park_worker();

}  // namespace lona::bench
