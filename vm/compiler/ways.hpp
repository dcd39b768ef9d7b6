// SPDX-License-Identifier: BSD-2-Clause
// The ways through the clauses of one match or receive: which clause comes next when a test does
// not hold, and what is known by then.
//
// Clauses are emitted one after the other, each once. A test that does not hold leaves a way that
// has not arrived anywhere yet, with the answers known on it. The following clauses ask their
// questions in their order; a way goes past a question whose answer it knows (or past the rest of
// the clause) and arrives at the first one it must ask. So clauses share tests and loaded elements
// and nothing is emitted twice.
//
// An element that may be shared has a register of its own in all clauses, and nothing else is put
// there before a body begins: from a body no way leads to another clause.
#pragma once

#include "vm/compiler/emitter.hpp"

namespace lona::vm {

// A test or load. Only what is asked of the subject, or of what was loaded from it, may be shared.
struct Question {
  Op op;
  Register subject;
  Word operand;
  Register result;  // of a load
  bool loads;
};

class Ways {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;  // a question of one clause alone

  // `subject` is live, and stays what it is.
  Ways(Arena& arena, Emitter& emit, Register subject)
      : emit_(emit),
        subject_(subject),
        base_(emit.top()),
        questions_(arena),
        coming_(arena),
        leaving_(arena) {}

  std::uint32_t test(Op op, Register subject, Word operand);
  // A load's result is pushed here the first time.
  std::uint32_t load(Op op, Register subject, Word operand, Register& result);

  // Whether all ways here know that the answer is yes. If not, the question is to be emitted now.
  bool settled(std::uint32_t question);
  // Where the question that is emitted next goes when the answer is no.
  Label& otherwise(std::uint32_t question = kNone);
  void holds(std::uint32_t question);  // behind it

  void arrive();  // all ways come together here
  void next_clause();
  // Registers below `base` belong to others; below `top` they keep what they hold from clause to
  // clause.
  Register base() const { return base_; }
  Register top() const;
  bool more() const { return !leaving_.empty(); }  // a further clause may be tried

 private:
  static constexpr std::uint32_t kMostQuestions = 256;
  static constexpr std::uint32_t kMostPlaces = 16;
  static constexpr std::size_t kMostWays = 32;
  using Bits = std::array<std::uint64_t, kMostQuestions / 64>;
  struct Facts {
    Bits yes{}, no{};
  };
  struct Way {
    Label label;
    Facts facts;
  };
  enum class Answer : std::uint8_t { kUnknown, kYes, kNo };

  static bool has(const Bits& bits, std::uint32_t i) { return (bits[i / 64] >> (i % 64) & 1) != 0; }
  static void add(Bits& bits, std::uint32_t i) { bits[i / 64] |= std::uint64_t{1} << (i % 64); }
  bool shares(Register r) const;
  std::uint32_t find(Op op, Register subject, Word operand) const;
  Answer answer(const Facts& facts, std::uint32_t question) const;
  void bind(Way& way);

  Emitter& emit_;
  Register subject_, base_;
  ArenaVector<Question> questions_;
  ArenaVector<Way> coming_, leaving_;
  Facts facts_;  // on the ways that are together here
  bool reached_ = true;
  std::uint32_t places_ = 0;
};

}  // namespace lona::vm
