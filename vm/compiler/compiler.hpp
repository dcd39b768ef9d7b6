// SPDX-License-Identifier: BSD-2-Clause
// From one form to a function without parameters. Macros are run on the given process.
#pragma once

#include <string_view>

#include "vm/heap/arena.hpp"
#include "vm/term/term.hpp"

namespace lona::vm {

class Process;
struct Function;
struct Namespace;

// Where a form was read. Keyed by the address of its pair or box; forms in an arena do not move.
struct Position {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};
class PositionTable {
 public:
  explicit PositionTable(Arena& arena) : arena_(&arena) {}
  void put(Term form, Position position);
  void clear() {
    capacity_ = used_ = 0;
    entries_ = nullptr;
  }  // before its arena is cleared
  Position find(Term form) const;  // line 0 when unknown

 private:
  struct Entry {
    Word key;
    Position position;
  };
  void grow();
  Arena* arena_;
  Entry* entries_ = nullptr;
  std::size_t capacity_ = 0, used_ = 0;
};

struct CompileInput {
  Arena& arena;  // the form lives here; scratch memory
  PositionTable& positions;
  Term form;
  std::string_view file;
  std::uint32_t line;  // used where the table knows nothing
};

struct CompileResult {
  const Function* function;  // null: the process has failed (Process::fail was called)
};

CompileResult compile(Process& process, const CompileInput& input);

// One step of macro expansion (`once`) or all of it at the head of the form. Term::raise() when the
// macro failed; the form and the result are in the arena.
Term macroexpand(Process& process, const CompileInput& input, bool once);

}  // namespace lona::vm
