// SPDX-License-Identifier: BSD-2-Clause
// Native functions: the intrinsics of the language, in C++.
//
// Each is listed once in a natives_*.def file (name, arity, C++ function, arglists, docstring),
// from which the table, the vars of lona.core and the reference pages come.
//
// A native gets its process and its arguments, allocates from the process's heap (which never
// collects, heap/heap.hpp) and returns a term. To fail it returns `process.fail(…)`, which
// records the exit reason [:error type info] and yields Term::raise(). A native that must wait
// (read-line) registers the process for the event and returns Term::again(): the interpreter
// suspends the process and calls the native again when it wakes. Work that depends on the size of
// its input charges reductions: `process.charge(n)`, about one for every 10 ns.
#pragma once

#include "vm/term/term.hpp"

namespace lona::vm {

class Process;

// Arguments in the registers of the caller's frame. Registers grow downwards in memory.
class Args {
 public:
  Args(const Word* first, std::uint32_t count) : first_(first), count_(count) {}
  std::uint32_t size() const { return count_; }
  Term operator[](std::uint32_t i) const { return Term::from_bits(first_[-std::ptrdiff_t(i)]); }

 private:
  const Word* first_;
  std::uint32_t count_;
};

using NativeFunction = Term (*)(Process&, Args);

struct Native {
  const char* name;  // in lona.core unless qualified
  std::uint8_t min_args;
  std::uint8_t max_args;  // kVariadic: any number
  NativeFunction function;
  const char* arglists;  // "([x] [x y] [x y & more])"
  const char* doc;
  static constexpr std::uint8_t kVariadic = 255;
};

// All natives of this VM; the index is that of Term::native.
const Native* native_table();
std::uint32_t native_count();

}  // namespace lona::vm
