// SPDX-License-Identifier: BSD-2-Clause
// The core image: two files beside the executable, mapped where they belong.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "abi/lona/address_map.hpp"
#include "vm/image/inspect.hpp"
#include "vm/platform/linux/linux.hpp"

namespace lona::vm::platform {

namespace {

std::span<std::uint64_t> map_file(const std::string& path, const abi::AddressRange& range,
                                  int protection) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  struct stat status = {};
  std::span<std::uint64_t> mapped;
  if (fstat(file, &status) == 0 && status.st_size > 0 &&
      static_cast<std::uint64_t>(status.st_size) <= range.size) {
    const auto size = static_cast<std::size_t>(status.st_size);
    // Sanitizers have the address for themselves; then there is no image.
    void* at = mmap(reinterpret_cast<void*>(range.start), size, protection,
                    MAP_PRIVATE | MAP_FIXED_NOREPLACE, file, 0);
    if (at == reinterpret_cast<void*>(range.start)) {
      mapped = {static_cast<std::uint64_t*>(at), size / sizeof(std::uint64_t)};
    } else if (at != MAP_FAILED) {
      munmap(at, size);
    }
  }
  close(file);
  return mapped;
}

}  // namespace

CoreImage core_image() {
  if (settings().compile_library) return {};
  const std::string folder = own_folder();
  const CoreImage image = {
      .constants = map_file(folder + "core-constants.bin", abi::kCoreConstants, PROT_READ),
      .data = map_file(folder + "core-data.bin", abi::kCoreData, PROT_READ | PROT_WRITE)};
  const char* why = settings().check_image && !image.constants.empty()
                        ? image::inspect(image.constants, image.data)
                        : nullptr;
  if (why == nullptr) return image;
  std::fprintf(stderr, "lona-vm: the core image is not safe: %s\n", why);
  exit(1);
}

}  // namespace lona::vm::platform
