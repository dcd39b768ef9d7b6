// SPDX-License-Identifier: BSD-2-Clause
// Code of one function while it is being made: instruction words, labels, registers, live maps,
// lines.
//
// Registers are handed out like a stack. A register is *live* from the moment it holds a term until
// it is released; the live map of a call or allocation is the set of live registers at that place.
// In the end the maps are narrowed to what is read again (liveness.cpp).
#pragma once

#include <array>

#include "vm/bytecode/opcodes.hpp"
#include "vm/heap/arena.hpp"

namespace lona::vm {

class CodeStore;

using Register = std::uint16_t;

struct Label {
  struct Use {
    std::uint32_t at;     // the instruction
    std::uint32_t extra;  // which extra word holds the distance; 0: operands b and c
    Use* next;
  };
  std::int64_t position = -1;
  Use* uses = nullptr;
  bool used() const { return uses != nullptr; }
};

class Emitter {
 public:
  static constexpr std::uint32_t kMaxRegisters = 1024;
  using LiveSet = std::array<std::uint64_t, kMaxRegisters / 64>;

  explicit Emitter(Arena& arena) : arena_(arena), code_(arena), lines_(arena), maps_(arena) {}

  // Registers.
  Register push();
  Register top() const { return top_; }
  void release_to(Register top);
  void set_live(Register r) { live_[r / 64] |= std::uint64_t{1} << (r % 64); }
  void clear_live(Register r) { live_[r / 64] &= ~(std::uint64_t{1} << (r % 64)); }
  const LiveSet& live() const { return live_; }
  void restore_live(const LiveSet& live) { live_ = live; }
  std::uint16_t live_map();  // index of a map of what is live now
  // The frame must have this many registers.
  void need(std::uint32_t registers) {
    if (registers > most_) most_ = registers;
  }

  // Instructions. Registers that receive a value become live.
  void op(Op op, std::uint32_t a = 0, std::uint32_t b = 0, std::uint32_t c = 0);
  void op_extra(Op op, std::uint32_t a, std::uint32_t b, std::uint32_t c, Word extra);
  void word(Word w) { code_.push_back(w); }
  void branch(Op op, std::uint32_t a, Label& target);  // distance in b and c
  void branch_extra(Op op, std::uint32_t a, std::uint32_t b, std::uint32_t c, Label& target);
  void use(Label& label, std::uint32_t instruction, std::uint32_t extra);
  void bind(Label& label);
  std::uint32_t here() const { return static_cast<std::uint32_t>(code_.size()); }
  void line(std::uint32_t line);

  // What there is so far; distances are right once their labels are bound.
  const ArenaVector<Word>& code() const { return code_; }
  // Another instruction of the same length, with a distance in b and c and one extra word.
  void replace(std::size_t at, Op op, std::uint16_t a, std::uint32_t distance, Word extra);

  bool too_large() const { return too_large_; }
  // The code as a function; the caller fills in parameters and names. Null without memory.
  // `entry` is the live map of its parameters, taken before anything else.
  Function* finish(CodeStore& store, std::uint16_t entry, std::uint32_t parameters);

 private:
  // Leaves out of the maps what is not read again (liveness.cpp).
  void narrow_live_maps(std::uint16_t& entry);

  Arena& arena_;
  ArenaVector<Word> code_;
  ArenaVector<LineEntry> lines_;
  ArenaVector<LiveSet> maps_;
  LiveSet live_{};
  Register top_ = 0;
  std::uint32_t most_ = 1;
  bool too_large_ = false;
};

}  // namespace lona::vm
