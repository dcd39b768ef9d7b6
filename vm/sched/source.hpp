// SPDX-License-Identifier: BSD-2-Clause
// How a process evaluates source text: a small loop in bytecode asks for the next form's function
// and calls it, so evaluation is preempted, collected and traced like any other code.
#pragma once

#include <optional>

#include "vm/compiler/compiler.hpp"
#include "vm/heap/arena.hpp"
#include "vm/reader/reader.hpp"
#include "vm/sched/load_file.hpp"
#include "vm/vm.hpp"

namespace lona::vm {

// A text that is being evaluated; a load-file inside it makes another.
struct SourceRun {
  SourceRun* outer = nullptr;
  SourceFeed* feed = nullptr;  // null: only the text
  FileRun file;                // of load-file
  SourceText text;
  bool has_text = false;
  std::string_view form_text;  // of the form that runs
  bool form_running = false;
  Arena arena;
  PositionTable positions{arena};
  std::optional<Reader> reader;
};

// Makes `p` evaluate from `feed`, or a text; false without memory. The caller then has it call
// `load_closure` of the state.
bool push_source(Process& p, SourceFeed* feed, const SourceText* text);
void pop_source(Process& p);
// The loop's native: the next form's function, `absent` at the end. Its argument is the last form's
// value.
Term source_next(Process& p, Args args);
// Permanent closure of the loop.
Term make_load_closure(PermanentRegion& region);

}  // namespace lona::vm
