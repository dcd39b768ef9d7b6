// SPDX-License-Identifier: BSD-2-Clause
// The instruction set; bytecode/opcodes.def is the list.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

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

// What an operand field (a, b, c) or an extra word holds.
enum class Operand : std::uint8_t {
  kNone,
  kRegister,       // r
  kMaybeRegister,  // r?: kNoOperand for none
  kArguments,      // k: first argument's register
  kNumber,         // #
  kLive,           // live
  kNear,           // off in b and c
  kImmediate,      // bits32: an immediate term in b and c
  kFar,            // off in an extra word
  kTerm,
  kShapes,  // a term: nil, or a tuple (interp/receive.cpp)
  kTable,   // a term: a tuple (interp/select.hpp)
  kVar,
  kFunction,
  kFallback,   // index in Vm::State::fallbacks
  kField,      // a BitsField (vm/data/segment.hpp)
  kZero,       // a word that only makes the length right
  kRegisters,  // b registers, four in a word
  kUnknown,
};
inline constexpr std::uint16_t kNoOperand = 0xffff;

struct OpInfo {
  const char* name;
  std::uint8_t words;  // without kRegisters
  std::array<Operand, 3> fields;
  std::array<Operand, 3> extra;
};
const OpInfo& op_info(Op op);
constexpr bool is_term(Operand kind) {
  return kind == Operand::kTerm || kind == Operand::kShapes || kind == Operand::kTable;
}

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
