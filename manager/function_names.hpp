// SPDX-License-Identifier: BSD-2-Clause
// Which of the manager's own functions is at an address? The manager does not have its own file, so
// the build writes their names into its image (tools/manager_names.py).
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/elf.hpp"

namespace lona::manager {

class FunctionNames {
 public:
  // A table: how many there are, then for each, in order of address, where it starts and where its
  // name is, all as u32 from the start of the image and of the table; then the names, each with a
  // zero behind it.
  FunctionNames(std::uint64_t image, base::ByteView table) : image_(image), table_(table) {}

  // The one that starts nearest below the address. A broken table gives nothing.
  [[nodiscard]] std::optional<base::ElfSymbol> nearest_symbol(std::uint64_t address) const;

 private:
  [[nodiscard]] std::uint32_t word(std::size_t index) const;

  std::uint64_t image_;
  base::ByteView table_;
};

// Those of this image.
[[nodiscard]] FunctionNames own_function_names();

}  // namespace lona::manager
