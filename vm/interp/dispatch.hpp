// SPDX-License-Identifier: BSD-2-Clause
// How instructions are executed: one function per opcode, each ends with a tail call of the next.
// The `preserve_none` convention keeps the machine's state in registers: frame, program counter,
// process, reductions left, table. A handler that needs C++ code saves the state in the process
// first (`save`) and takes it back after (`resume`), as the stack may have moved.
//
// The quick cases are in interp.cpp; what may allocate, call natives or end the process is an
// ordinary function in slow.cpp or call.cpp.
#pragma once

#include "vm/bytecode/opcodes.hpp"
#include "vm/interp/interp.hpp"

namespace lona::vm {

#define LONA_HANDLER_PARAMETERS \
  Word *fp, const Instruction *pc, Process *p, std::int64_t reductions, const void *table
// The address sanitizer's larger frames do not go together with that convention.
#if __has_feature(address_sanitizer)
#define LONA_HANDLER_CONVENTION
#else
#define LONA_HANDLER_CONVENTION __attribute__((preserve_none))
#endif
typedef RunResult Handler(LONA_HANDLER_PARAMETERS) LONA_HANDLER_CONVENTION;

// What a slow function tells its handler.
enum class Next : std::uint8_t {
  kGo,  // p.fp_, p.pc_, p.reductions_left_ say where to go on
  kYield,
  kWait,
  kExit,
};

// For slow functions: a register of the running frame, and the way on to the instruction behind
// this one of so many words.
inline Word& reg(Process& p, std::uint32_t i) {
  return p.fp_[-static_cast<std::ptrdiff_t>(i)];
}
inline Next go(Process& p, std::ptrdiff_t words) {
  p.pc_ += words;
  return Next::kGo;
}

// Calls: any callee, any state; `tail` in tail position.
Next call_slow(Process& p, bool tail);
// After a native: its value, or what it wants instead.
Next after_call(Process& p, Term result, bool tail);
Next call_native(Process& p, NativeFunction native, bool tail);

// What the call instruction at hand calls.
Term called_by(Process& p);

Next load_var_slow(Process& p);
Next enter_large(Process& p);
Next make_closure(Process& p);
Next make_tuple_slow(Process& p);
Next prepend_slow(Process& p);
Next tuple_tail(Process& p);
Next set_get(Process& p);
Next define(Process& p);
Next declare(Process& p);
Next bits_number(Process& p);
Next bits_bytes(Process& p);
Next bad_match(Process& p);
Next receive_next(Process& p);
Next receive_wait(Process& p);
Next receive_timer(Process& p);
void receive_take(Process& p);

// An intrinsic's native on one or two values; the result or Term::raise().
Term fall_back(Process& p, unsigned fallback, Term a);
Term fall_back(Process& p, unsigned fallback, Term a, Term b);

// The reductions left after it: those that it has charged are gone, and when it has asked for a
// collection, the next call finds none left and collects.
inline std::int64_t after_fall_back(Process& p, std::int64_t left) {
  if (!p.collect_ && p.charged_ == 0) [[likely]]
    return left;
  if (p.collect_ && left > 0) {
    p.reductions_saved_ = left;
    left = 0;
  }
  (p.collect_ ? p.reductions_saved_ : left) -= p.charged_;
  p.charged_ = 0;
  return left;
}

// The process ends: keeps its stack trace. Always kExit.
Next raise_exit(Process& p);
Next out_of_memory(Process& p);

// Room for `words` on the heap; the current instruction has this live map, and is executed again
// when this does not say kGo.
Next heap_room(Process& p, std::uint16_t live, std::size_t words);

// A collection that makes room for `need` words; kYield: it goes on in slices, and the current
// instruction is executed again after it.
Next collect_garbage(Process& p, std::uint16_t live, std::size_t need);

// Where the heap has to end while the frame at `fp` runs.
inline Word* frame_floor(const Process& p, const Word* fp) {
  return reinterpret_cast<Word*>(reinterpret_cast<std::uintptr_t>(fp) - p.slack_bytes_);
}

}  // namespace lona::vm
