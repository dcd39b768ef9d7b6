// SPDX-License-Identifier: BSD-2-Clause
// Tests of one register for one constant after the other become a look into a table. That is done
// when a function's code is finished: where several clauses meet, and which of them still ask, is
// known only then. The tests stay where they are, for ways that come to the middle of them.
#include "vm/compiler/unit.hpp"
#include "vm/data/sequence.hpp"
#include "vm/interp/select.hpp"

namespace lona::vm {

namespace {

// Fewer tests are quicker one by one. A string's takes about twice the time of an immediate's.
constexpr std::size_t kLeastWeight = 8;

const Instruction& instruction(const ArenaVector<Word>& code, std::size_t at) {
  return *reinterpret_cast<const Instruction*>(&code[at]);
}

bool is_test(const ArenaVector<Word>& code, std::size_t at, std::uint16_t subject) {
  const Instruction& i = instruction(code, at);
  return (i.op == op_code(Op::kBranchNotBits) || i.op == op_code(Op::kBranchNotValue)) &&
         i.a == subject && select::may_be_key(Term::from_bits(code[at + 1]));
}

// The tests that come one after the other when none holds, beginning with the one at `at`. Where it
// goes on when none of them does.
std::size_t tests_from(const ArenaVector<Word>& code, std::size_t at,
                       ArenaVector<std::size_t>& tests) {
  const std::uint16_t subject = instruction(code, at).a;
  for (tests.resize_down(0); is_test(code, at, subject);) {
    tests.push_back(at);
    at += static_cast<std::size_t>(near_offset(&instruction(code, at)));
  }
  return at;
}

std::size_t weight(const ArenaVector<Word>& code, const ArenaVector<std::size_t>& tests) {
  std::size_t strings = 0;
  for (std::size_t test : tests) strings += Term::from_bits(code[test + 1]).is_boxed() ? 1 : 0;
  return tests.size() + strings;
}

// The table in the arena; distances are those from the first test.
Term make_table(Arena& arena, const ArenaVector<Word>& code,
                const ArenaVector<std::size_t>& tests) {
  std::size_t capacity = 2;
  while (capacity < 2 * tests.size()) capacity *= 2;
  auto* entries = arena.make_array<Term>(2 * capacity);
  for (std::size_t i = 0; i < capacity; ++i) {
    entries[2 * i] = Term::nil();
    entries[2 * i + 1] = Term::integer(0);
  }
  for (std::size_t test : tests) {
    const Term key = Term::from_bits(code[test + 1]);
    std::size_t i = select::hash(key) & (capacity - 1);
    while (entries[2 * i + 1] != Term::integer(0) && !equal(entries[2 * i], key)) {
      i = (i + 1) & (capacity - 1);
    }
    if (entries[2 * i + 1] != Term::integer(0)) continue;  // the first one counts
    const std::size_t target = test + op_info(Op::kBranchNotBits).words;
    entries[2 * i] = key;
    entries[2 * i + 1] = Term::integer(static_cast<std::int64_t>(target - tests[0]));
  }
  return make_tuple(arena, {entries, 2 * capacity});
}

}  // namespace

Function* Unit::finish(FunctionScope& scope, std::uint16_t entry, std::uint32_t parameters) {
  const ArenaVector<Word>& code = scope.emit.code();
  ArenaVector<std::size_t> tests(input_.arena);
  ArenaVector<bool> seen(input_.arena);
  for (std::size_t i = 0; i < code.size(); ++i) seen.push_back(false);
  for (std::size_t at = 0; at < code.size() && !input_.arena.exhausted();
       at += instruction_words(&instruction(code, at))) {
    if (seen[at]) continue;
    const std::size_t otherwise = tests_from(code, at, tests);
    for (std::size_t test : tests) seen[test] = true;
    if (weight(code, tests) < kLeastWeight) continue;
    const Term table = permanent(make_table(input_.arena, code, tests));
    if (failed_) return nullptr;
    const auto distance = static_cast<std::uint32_t>(otherwise - at);
    scope.emit.replace(at, Op::kSelect, instruction(code, at).a, distance, table.bits());
  }
  return scope.emit.finish(state_.code, entry, parameters);
}

}  // namespace lona::vm
