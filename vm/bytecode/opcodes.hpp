// SPDX-License-Identifier: BSD-2-Clause
// The instruction set; bytecode/opcodes.def is the list.
#pragma once

#include <cstdint>

#include "vm/code/function.hpp"

namespace lona::vm {

enum class Op : std::uint16_t {
#define LONA_OPCODE(name, words, operands, effect) k##name,
#include "vm/bytecode/opcodes.def"
#undef LONA_OPCODE
  kCount
};

inline constexpr std::uint16_t op_code(Op op) {
  return static_cast<std::uint16_t>(op);
}

struct OpInfo {
  const char* name;
  std::uint8_t words;  // without MakeClosure's registers
  const char* operands;
};
const OpInfo& op_info(Op op);

// The 32-bit distance in operands b and c.
inline std::int32_t near_offset(const Instruction* i) {
  return static_cast<std::int32_t>(i->b | static_cast<std::uint32_t>(i->c) << 16);
}
inline Word extra(const Instruction* i, std::size_t n = 1) {
  return reinterpret_cast<const Word*>(i)[n];
}
// Length of an instruction in words, with everything that follows it.
std::size_t instruction_words(const Instruction* i);

}  // namespace lona::vm
