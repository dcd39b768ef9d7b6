// SPDX-License-Identifier: BSD-2-Clause
// What the files of this folder share.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>

#include "vm/platform/platform.hpp"

namespace lona::vm::platform {

void start_memory();

// Finds the console and its clock rate. On the host link it says that the VM is up.
void start_console();

// The body of a worker's thread besides the first.
[[noreturn]] void run_worker(unsigned number);
unsigned current_worker();
// Ends `wait` of the first worker.
void rouse_first();
// For the first worker: the earliest moment at which another one is to be roused, and doing that.
std::uint64_t earliest_nap();
void end_naps(std::uint64_t now);

// The console belongs to the first worker: it does what the others want done there, when it looks
// at the console or waits for anything.
struct ConsoleWork {
  void (*run)(ConsoleWork& self);
  ConsoleWork* next = nullptr;
  std::atomic<bool> done{false};
};
void ask_first(ConsoleWork& work);
void serve_others();
template <typename F>
void on_first(F function) {
  if (current_worker() == 0) {
    function();
    return;
  }
  struct Work : ConsoleWork {
    F* function;
  };
  Work work;
  work.run = [](ConsoleWork& self) { (*static_cast<Work&>(self).function)(); };
  work.function = &function;
  ask_first(work);
}

// Takes what has come from the host and sleeps until more comes.
void wait_for_host();

// The words of the host's start frame, once it has come; `source` is complete when `ready`.
struct StartRequest {
  bool ready = false;
  std::span<const std::string_view> words;  // mode, settings, "--", arguments
  std::span<const std::uint8_t> source;
};
const StartRequest& start_request();

// Output of a realm without a console; false when nobody wants it.
bool write_elsewhere(std::string_view text);

// What the VM says of what this worker is at (on_last_words); how long it is.
std::size_t last_words(const MachineState& at, std::span<char> text);

// Flushes, and tells the host the status: the last thing it hears.
void end_console(int status);

}  // namespace lona::vm::platform
