// SPDX-License-Identifier: BSD-2-Clause
#include "vm/code/function.hpp"

namespace lona::vm {

std::uint32_t Function::line_at(const Instruction* pc) const {
  auto offset = static_cast<std::uint32_t>(pc - code);
  std::uint32_t line = first_line;
  for (std::uint32_t i = 0; i < line_count && lines[i].offset <= offset; ++i) line = lines[i].line;
  return line;
}

}  // namespace lona::vm
