// SPDX-License-Identifier: BSD-2-Clause
// Files of the user, by the rules of tools/lona/files.py, read at once.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "vm/platform/linux/linux.hpp"

namespace lona::vm::platform {

namespace {

namespace fs = std::filesystem;

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// Whether `path` lies in the folder in which the VM was started; both without links.
bool holds(const fs::path& folder, const fs::path& path) {
  const auto relative = path.lexically_relative(folder);
  return !relative.empty() && *relative.begin() != "..";
}

FileError error_of(int number) {
  return number == ENOENT || number == ENOTDIR ? FileError::kMissing : FileError::kUnreadable;
}

UserFile read_all(int fd) {
  constexpr std::size_t kRoom = kMostFileBytes + kPageSize;
  auto* room = static_cast<std::uint8_t*>(map_pages(kRoom));
  if (room == nullptr) return {.error = FileError::kNoMemory};
  std::size_t size = 0;
  ssize_t got = 0;
  while (size <= kMostFileBytes && (got = ::read(fd, room + size, kRoom - size)) > 0) {
    size += static_cast<std::size_t>(got);
  }
  const bool good = got >= 0 && size <= kMostFileBytes;
  const std::size_t used = good ? whole_pages(size) : 0;
  unmap_pages(room + used, kRoom - used);
  if (!good) return {.error = got < 0 ? FileError::kUnreadable : FileError::kTooLarge};
  return {.bytes = size == 0 ? std::span<std::uint8_t>() : std::span(room, size)};
}

}  // namespace

UserFile read_user_file(const void*, std::string_view name) {
  std::error_code problem;
  const fs::path folder = fs::canonical(".", problem);
  if (problem || name.empty() || name.find('\0') != std::string_view::npos) {
    return {.error = FileError::kMissing};
  }
  const fs::path path = folder / name;
  const fs::path target = fs::weakly_canonical(path, problem);
  if (problem) return {.error = error_of(problem.value())};
  if (!holds(folder, target)) return {.error = FileError::kOutside};
  // O_PATH opens nothing, so a pipe does not block and a device does not act; what is checked is
  // what is read.
  const Descriptor place(path.string(), O_PATH);
  if (place.get() < 0) return {.error = error_of(errno)};
  const std::string link = "/proc/self/fd/" + std::to_string(place.get());
  const fs::path real = fs::read_symlink(link, problem);
  if (problem || !holds(folder, real)) return {.error = FileError::kOutside};
  struct stat found;
  if (::fstat(place.get(), &found) != 0) return {.error = FileError::kUnreadable};
  if (!S_ISREG(found.st_mode)) return {.error = FileError::kNotRegular};
  const Descriptor file(link, O_RDONLY);
  return file.get() < 0 ? UserFile{.error = error_of(errno)} : read_all(file.get());
}

void forget_user_file(const void*) {}

}  // namespace lona::vm::platform
