// SPDX-License-Identifier: BSD-2-Clause
// Settings of the process, files that stand for the archive, and the end.
#include <execinfo.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>

#include "vm/platform/linux/linux.hpp"

namespace lona::vm::platform {

namespace {

// build/host/vm/lona-vm belongs to the source tree three folders up.
std::string default_root() {
  std::string root = own_folder();
  for (int i = 0; i < 3 && root.size() > 1; ++i)
    root.erase(root.find_last_of('/', root.size() - 2) + 1);
  return root;
}

}  // namespace

std::string own_folder() {
  char path[4096];
  const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
  if (n <= 0) return "./";
  std::string folder(path, static_cast<std::size_t>(n));
  folder.erase(folder.find_last_of('/') + 1);
  return folder;
}

Settings& settings() {
  static auto* s = new Settings{.root = default_root()};
  return *s;
}

bool read_whole_file(const char* path, std::string& content) {
  std::FILE* f = std::fopen(path, "rb");
  if (f == nullptr) return false;
  char block[65536];
  std::size_t n = 0;
  while ((n = std::fread(block, 1, sizeof block, f)) != 0) content.append(block, n);
  const bool ok = std::ferror(f) == 0;
  std::fclose(f);
  return ok;
}

std::span<const std::uint8_t> archive_file(std::string_view path) {
  static auto* files = new std::map<std::string, std::string, std::less<>>;
  static auto* mutex = new std::mutex;
  const std::lock_guard lock(*mutex);
  auto it = files->find(path);
  if (it == files->end()) {
    std::string content;
    // DIR may be the folder that holds lib/, or lib/ itself.
    const std::string& root = settings().root;
    const bool in_lib = path.starts_with("lib/");
    if (!read_whole_file((root + std::string(path)).c_str(), content) &&
        !(in_lib && read_whole_file((root + std::string(path.substr(4))).c_str(), content))) {
      return {};
    }
    it = files->emplace(path, std::move(content)).first;
  }
  return {reinterpret_cast<const std::uint8_t*>(it->second.data()), it->second.size()};
}

Session session() {
  const Settings& s = settings();
  return {.mode = s.mode,
          .file_name = s.file_name,
          .source = {reinterpret_cast<const std::uint8_t*>(s.source.data()), s.source.size()},
          .args = s.args,
          .collect_always = s.collect_always,
          .tight_heaps = s.tight_heaps,
          .seed = s.seed};
}

void exit(int status) {
  stop_console();
  std::_Exit(status);
}

void exit_because(std::string_view why) {
  std::fprintf(stderr, "lona-vm: %.*s\n", static_cast<int>(why.size()), why.data());
  exit(1);
}

// A debugger tells more.
void on_last_words(LastWords) {}

void panic(std::string_view message) {
  stop_console();
  std::fprintf(stderr, "lona-vm: internal error: %.*s\n", static_cast<int>(message.size()),
               message.data());
  void* frames[32];
  backtrace_symbols_fd(frames, backtrace(frames, 32), STDERR_FILENO);
  std::abort();
}

}  // namespace lona::vm::platform
