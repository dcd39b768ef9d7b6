// SPDX-License-Identifier: BSD-2-Clause
// What the files of this folder share: set up by main() before vm_main() runs.
#pragma once

#include <string>
#include <vector>

#include "vm/platform/platform.hpp"

namespace lona::vm::platform {

// What the command line said.
struct Settings {
  Mode mode = Mode::kPrompt;
  std::string file_name = {};
  std::string source = {};
  std::vector<std::string_view> args = {};
  bool collect_always = false, tight_heaps = false;
  std::uint64_t seed = 0;
  bool compile_library = false;  // even when there is a core image
  bool check_image = false;      // do not trust it
  unsigned workers = 1;
  std::string root;  // of the archive, with a slash at its end
};
Settings& settings();

void set_memory_limit(std::size_t bytes);

// Installs the signal handlers; a prompt on a terminal also gets raw input.
void start_console(bool prompt);
// Writes what is buffered and gives the terminal back as it was found. Safe to call twice.
void stop_console();

// For tests: from now on time passes by being looked at, and jumps to what is waited for. One
// thread only.
void simulate_clock();

// Of the executable, with a slash at its end.
std::string own_folder();
// Ends the first worker's `wait`; needs the pipe.
void open_wake_pipe();
void rouse_first();

// The whole file, or false.
bool read_whole_file(const char* path, std::string& content);

}  // namespace lona::vm::platform
