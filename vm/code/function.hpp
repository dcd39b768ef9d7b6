// SPDX-License-Identifier: BSD-2-Clause
// Compiled code. A Function is permanent; a closure (Kind::kClosure) is a Function with its
// captured values.
#pragma once

#include "vm/term/object.hpp"
#include "vm/term/symbol.hpp"

namespace lona::vm {

// One instruction word: opcode and three operands; some instructions have further words.
struct Instruction {
  std::uint16_t op;
  std::uint16_t a, b, c;
};
static_assert(sizeof(Instruction) == sizeof(Word));

struct LineEntry {
  std::uint32_t offset;  // of the first instruction word of this line
  std::uint32_t line;
};

struct Function {
  // What a call site compares its argument count with: the arity of a fixed-arity function,
  // kNoDirectCall for a variadic one.
  static constexpr std::uint32_t kNoDirectCall = ~0u;
  std::uint32_t direct_arity = kNoDirectCall;
  std::uint32_t frame_words = 0;  // registers used at most
  const Instruction* code = nullptr;
  std::uint32_t code_words = 0;
  std::uint16_t required = 0;  // parameters before `&`
  bool variadic = false;
  std::uint16_t captures = 0;
  std::uint16_t live_words = 1;  // words of one live map
  std::uint32_t live_map_count = 0;
  const std::uint64_t* live_maps = nullptr;  // which registers hold terms, by safe point
  const LineEntry* lines = nullptr;
  std::uint32_t line_count = 0;
  std::uint32_t first_line = 0;
  // Of a function without captured values: its closure (the bits). A call through a var takes it
  // from here and not from the var, because that may be given another value between two looks: by a
  // realm above, which waits for nobody. 0: there may be many closures.
  Word closure = 0;
  SymbolEntry* name = nullptr;  // "fn" when it has none
  SymbolEntry* ns = nullptr;
  SymbolEntry* file = nullptr;  // interned path; null when unknown

  std::uint32_t line_at(const Instruction* pc) const;
};

// Of what programs call the code lies right behind the Function: so a call need not load where.
inline const Instruction* code_behind(const Function* f) {
  return reinterpret_cast<const Instruction*>(f + 1);
}

// A function that no call site fits: what a var without a plain function has in `function`.
extern const Function kNoFunction;

inline const Function* function_of(Term closure) {
  return reinterpret_cast<const Function*>(payload(closure)[0]);
}
inline bool is_closure(Term t) {
  return is_kind(t, Kind::kClosure);
}
// fn?: closures and natives.
inline bool is_function(Term t) {
  return t.is_native() || is_closure(t);
}

}  // namespace lona::vm
