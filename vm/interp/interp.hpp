// SPDX-License-Identifier: BSD-2-Clause
// The interpreter: runs a process for a slice, and macros inside a native.
#pragma once

#include <span>

#include "vm/process/process.hpp"

namespace lona::vm {

enum class RunResult : std::uint8_t {
  kYield,   // its slice is used up
  kWait,    // it sleeps: for a message, a time or the console
  kExit,    // it has ended with exit_reason_
  kNested,  // only inside run_nested
};

// Goes on where the process is (fp_, pc_) for at most `reductions`.
RunResult run_slice(Process& p, std::int64_t reductions);

// Sets a fresh process up to call `fn` (a closure in its own heap or permanent) with no arguments.
void start_call(Process& p, Term fn);

// Tells the process's tracer about the call it is about to make; false when it makes none next.
// interp/trace_call.cpp
bool trace_call(Process& p);

// Calls a closure from inside a native and waits for its result: for macros. The arguments are not
// in the process's heap, and the caller holds no term of that heap. Term::raise() when the process
// has to end; what it called cannot wait for anything.
Term run_nested(Process& p, Term fn, std::span<const Term> args);

}  // namespace lona::vm
