// SPDX-License-Identifier: BSD-2-Clause
#include "vm/bytecode/opcodes.hpp"

namespace lona::vm {

namespace {

struct OperandWord {
  std::string_view text;
  Operand operand;
};
constexpr OperandWord kWords[] = {
    {"-", Operand::kNone},
    {"r", Operand::kRegister},
    {"r?", Operand::kMaybeRegister},
    {"k", Operand::kArguments},
    {"#", Operand::kNumber},
    {"live", Operand::kLive},
    {"bits32", Operand::kImmediate},
    {"off", Operand::kFar},
    {"term", Operand::kTerm},
    {"shapes", Operand::kShapes},
    {"table", Operand::kTable},
    {"var", Operand::kVar},
    {"function", Operand::kFunction},
    {"fallback", Operand::kFallback},
    {"field", Operand::kField},
    {"zero", Operand::kZero},
    {"registers", Operand::kRegisters},
};

constexpr Operand operand_of(std::string_view word) {
  for (const OperandWord& w : kWords) {
    if (w.text == word) return w.operand;
  }
  return Operand::kUnknown;
}

constexpr OpInfo info(const char* name, std::uint8_t words, std::string_view operands) {
  OpInfo result{name, words, {}, {}};
  std::size_t field = 0;
  bool in_extra = false;
  while (!operands.empty()) {
    std::size_t n = operands.find_first_of(" ;");
    Operand operand = operand_of(operands.substr(0, n));
    if (in_extra) {
      result.extra[field++] = operand;
    } else {
      result.fields[field++] = operand == Operand::kFar ? Operand::kNear : operand;
    }
    if (n == std::string_view::npos) break;
    if (operands[n] == ';') {
      if (!in_extra) field = 0;
      in_extra = true;
      n++;
    }
    operands.remove_prefix(n + 1);
  }
  return result;
}

constexpr OpInfo kInfos[] = {
#define LONA_OPCODE(name, words, operands, effect) info(#name, words, operands),
#include "vm/bytecode/opcodes.def"
#undef LONA_OPCODE
};

constexpr bool all_known() {
  for (const OpInfo& i : kInfos) {
    for (Operand o : i.fields) {
      if (o == Operand::kUnknown) return false;
    }
    std::size_t words = 1;
    for (Operand o : i.extra) {
      if (o == Operand::kUnknown) return false;
      if (o != Operand::kNone && o != Operand::kRegisters) words++;
    }
    if (words != i.words) return false;
  }
  return true;
}
static_assert(all_known(), "an operand of opcodes.def has no meaning, or a length is wrong");

}  // namespace

const OpInfo& op_info(Op op) {
  return kInfos[static_cast<unsigned>(op)];
}

std::size_t instruction_words(const Instruction* i) {
  const OpInfo& info = op_info(static_cast<Op>(i->op));
  std::size_t words = info.words;
  if (info.extra[1] == Operand::kRegisters) words += (i->b + 3u) / 4u;
  return words;
}

}  // namespace lona::vm
