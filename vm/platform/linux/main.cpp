// SPDX-License-Identifier: BSD-2-Clause
// lona-vm: the VM as a program of the host.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "vm/image/inspect.hpp"
#include "vm/image/writer.hpp"
#include "vm/platform/linux/linux.hpp"
#include "vm/session/console.hpp"
#include "vm/session/library.hpp"

namespace lona::vm::platform {

namespace {

constexpr const char* kUsage =
    "usage: lona-vm [--lib DIR] [--memory MB] [--workers N] MODE [ARGUMENT...]\n"
    "  prompt             read, evaluate and print forms from the terminal\n"
    "  run FILE [ARG...]  run a program\n"
    "  eval EXPR...       print the value of each expression\n"
    "  batch              read forms from standard input, print one line for each\n"
    "  image DIR          write the core image: the library, compiled\n"
    "  --compile-library  do not use the core image\n"
    "  --check-image      refuse a core image that is not safe, whoever has written it\n"
    "  --lib DIR          folder that stands for the system's archive\n"
    "  --memory MB        most memory the VM may use (1024)\n"
    "  --workers N        threads that run processes (1)\n"
    "For tests:\n"
    "  --collect-always   collect garbage at every safe point\n"
    "  --tight-heaps      no room in heaps beyond what is in them\n"
    "  --seed N           the order of processes and messages, and time, depend on N only\n";

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

// Same content, same file: what is built from it does not have to be built again.
bool write_file(const std::string& path, const std::vector<std::uint64_t>& words) {
  const std::size_t size = words.size() * sizeof(std::uint64_t);
  std::string old;
  if (read_whole_file(path.c_str(), old) && old.size() == size &&
      std::memcmp(old.data(), words.data(), size) == 0) {
    return true;
  }
  // A VM that runs at this moment keeps the file it has mapped.
  const std::string fresh = path + ".new";
  std::FILE* f = std::fopen(fresh.c_str(), "wb");
  bool good = f != nullptr && std::fwrite(words.data(), 1, size, f) == size;
  good = f != nullptr && std::fclose(f) == 0 && good;
  return good && std::rename(fresh.c_str(), path.c_str()) == 0;
}

[[noreturn]] void write_image(const std::string& folder) {
  settings().compile_library = true;
  start_console(false);
  Console::create(false);  // where mistakes in the library are told
  const image::Image image = image::write(create_vm_with_library({}, nullptr), library_hash());
  std::string problem = image.problem;
  // Whoever maps it takes it as it is.
  if (problem.empty()) {
    if (const char* why = image::inspect(image.constants, image.data)) problem = why;
  }
  if (!problem.empty()) {
    std::fprintf(stderr, "lona-vm: no core image: %s\n", problem.c_str());
    exit(1);
  }
  if (!write_file(folder + "core-constants.bin", image.constants) ||
      !write_file(folder + "core-data.bin", image.data)) {
    std::fprintf(stderr, "lona-vm: the core image cannot be written to %s: %m\n", folder.c_str());
    exit(1);
  }
  exit(0);
}

// From 1 to `most`.
unsigned long parse_number(const std::string& option, const char* text, unsigned long most) {
  char* end = nullptr;
  const unsigned long n = std::strtoul(text, &end, 10);
  if (*text == '\0' || *end != '\0' || n == 0 || n > most) {
    wrong_use(option + " wants a number from 1 to " + std::to_string(most) + ", not '" + text +
              "'");
  }
  return n;
}

// False when there is no such option with a value.
bool take_option(const std::string& option, const char* value) {
  if (option == "--lib") {
    settings().root = std::string(value) + "/";
  } else if (option == "--memory") {
    set_memory_limit(parse_megabytes(value));
  } else if (option == "--workers") {
    settings().workers = static_cast<unsigned>(parse_number(option, value, 64));
  } else if (option == "--seed") {
    settings().seed = parse_number(option, value, 1'000'000'000);
  } else {
    return false;
  }
  return true;
}

bool* flag_of(const std::string& option) {
  Settings& s = settings();
  if (option == "--collect-always") return &s.collect_always;
  if (option == "--tight-heaps") return &s.tight_heaps;
  if (option == "--compile-library") return &s.compile_library;
  if (option == "--check-image") return &s.check_image;
  return nullptr;
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
  } else if (name == "image") {
    if (rest.size() != 1) wrong_use("image wants a folder");
    write_image(std::string(rest.front()) + "/");
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
    if (bool* flag = flag_of(option)) {
      *flag = true;
      continue;
    }
    if (++i == argc) wrong_use(option + " wants a value");
    if (!take_option(option, argv[i])) wrong_use("unknown option " + option);
  }
  if (i == argc) wrong_use("which mode?");
  const std::string mode = argv[i++];
  // The options may also stand behind the mode, as in `lona-vm batch --lib DIR`.
  for (; i + 1 < argc; i += 2) {
    if (!take_option(argv[i], argv[i + 1])) break;
  }
  if (s.seed != 0 && s.workers != 1) wrong_use("--seed wants one worker");
  if (s.seed != 0) simulate_clock();
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
