// SPDX-License-Identifier: BSD-2-Clause
// What the files of this folder share.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "vm/platform/platform.hpp"

namespace lona::vm::platform {

void start_memory();

// Finds the console and its clock rate. On the host link it says that the VM is up.
void start_console();

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

// Flushes, and tells the host the status: the last thing it hears.
void end_console(int status);

}  // namespace lona::vm::platform
