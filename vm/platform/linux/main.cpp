// SPDX-License-Identifier: BSD-2-Clause
// lona-vm: the VM as a program of the host.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "vm/platform/linux/linux.hpp"

namespace lona::vm::platform {

namespace {

constexpr const char* kUsage =
    "usage: lona-vm [--lib DIR] [--memory MB] MODE [ARGUMENT...]\n"
    "  prompt             read, evaluate and print forms from the terminal\n"
    "  run FILE [ARG...]  run a program\n"
    "  eval EXPR...       print the value of each expression\n"
    "  batch              read forms from standard input, print one line for each\n"
    "  --lib DIR          folder that stands for the system's archive\n"
    "  --memory MB        most memory the VM may use (1024)\n"
    "  --collect-always   collect garbage at every safe point (for tests; slow)\n";

[[noreturn]] void wrong_use(const std::string& message) {
  std::fprintf(stderr, "lona-vm: %s\n%s", message.c_str(), kUsage);
  std::exit(2);
}

std::size_t parse_megabytes(const char* text) {
  char* end = nullptr;
  const unsigned long mb = std::strtoul(text, &end, 10);
  if (*text == '\0' || *end != '\0' || mb == 0 || mb > (1ul << 24)) {
    wrong_use(std::string("--memory wants a number of megabytes, not '") + text + "'");
  }
  return static_cast<std::size_t>(mb) << 20;
}

void parse_mode(const std::string& name, std::vector<std::string_view> rest) {
  Settings& s = settings();
  if (name == "prompt" || name == "batch") {
    s.mode = name == "prompt" ? Mode::kPrompt : Mode::kBatch;
    if (!rest.empty()) wrong_use(name + " takes no arguments");
  } else if (name == "eval") {
    s.mode = Mode::kEval;
    if (rest.empty()) wrong_use("eval wants an expression");
  } else if (name == "run") {
    s.mode = Mode::kRun;
    if (rest.empty()) wrong_use("run wants a file");
    s.file_name = rest.front();
    rest.erase(rest.begin());
    if (!read_whole_file(s.file_name.c_str(), s.source)) {
      std::fprintf(stderr, "lona-vm: cannot read %s: %m\n", s.file_name.c_str());
      std::exit(2);
    }
  } else {
    wrong_use("unknown mode '" + name + "'");
  }
  s.args = std::move(rest);
}

void parse_command_line(int argc, char** argv) {
  Settings& s = settings();
  int i = 1;
  for (; i < argc && argv[i][0] == '-'; ++i) {
    const std::string option = argv[i];
    if (option == "--help" || option == "-h") {
      std::fputs(kUsage, stdout);
      std::exit(0);
    }
    if (option == "--collect-always") {
      s.collect_always = true;
      continue;
    }
    if (option != "--lib" && option != "--memory") wrong_use("unknown option " + option);
    if (++i == argc) wrong_use(option + " wants a value");
    if (option == "--lib") {
      s.root = std::string(argv[i]) + "/";
    } else {
      set_memory_limit(parse_megabytes(argv[i]));
    }
  }
  if (i == argc) wrong_use("which mode?");
  const std::string mode = argv[i++];
  // The options may also stand behind the mode, as in `lona-vm batch --lib DIR`.
  for (; i + 1 < argc; i += 2) {
    const std::string option = argv[i];
    if (option == "--lib") {
      s.root = std::string(argv[i + 1]) + "/";
    } else if (option == "--memory") {
      set_memory_limit(parse_megabytes(argv[i + 1]));
    } else {
      break;
    }
  }
  parse_mode(mode, {argv + i, argv + argc});
}

}  // namespace

}  // namespace lona::vm::platform

int main(int argc, char** argv) {
  using namespace lona::vm;
  platform::parse_command_line(argc, argv);
  platform::start_console(platform::session().mode == platform::Mode::kPrompt);
  vm_main();
}
