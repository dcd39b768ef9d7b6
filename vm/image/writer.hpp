// SPDX-License-Identifier: BSD-2-Clause
// Writes the core image of a VM that has loaded the library; a part of the host build only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vm/vm.hpp"

namespace lona::vm::image {

struct Image {
  std::vector<std::uint64_t> constants, data;
  std::string problem;  // why there is none; empty when all is well
};
Image write(const Vm& vm, std::uint64_t library_hash);

}  // namespace lona::vm::image
