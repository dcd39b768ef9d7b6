// SPDX-License-Identifier: BSD-2-Clause
#include "vm/bytecode/opcodes.hpp"

namespace lona::vm {

namespace {
constexpr OpInfo kInfos[] = {
#define LONA_OPCODE(name, words, operands, effect) {#name, words, operands},
#include "vm/bytecode/opcodes.def"
#undef LONA_OPCODE
};
}  // namespace

const OpInfo& op_info(Op op) {
  return kInfos[static_cast<unsigned>(op)];
}

std::size_t instruction_words(const Instruction* i) {
  std::size_t words = op_info(static_cast<Op>(i->op)).words;
  if (i->op == op_code(Op::kMakeClosure)) words += (i->b + 3u) / 4u;
  return words;
}

}  // namespace lona::vm
