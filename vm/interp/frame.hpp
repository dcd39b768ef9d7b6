// SPDX-License-Identifier: BSD-2-Clause
// What a stack frame looks like and how to walk frames.
//
//   fp[2]   the function running in the frame (closure), later its result
//   fp[1]   return address: the instruction after the caller's call
//   fp[0]   register 0; register i is fp[-i]
//
// A call with operand a = k makes the callee's fp the caller's fp - k: its parameters are the
// caller's registers k, k+1, …; its header takes the place of registers k-2 and k-1, so its result
// is the caller's register k-2. Every call is two words long, so the call is found from the return
// address. The outermost frame of a run returns to one of the stop instructions below.
#pragma once

#include "vm/code/function.hpp"
#include "vm/process/process.hpp"

namespace lona::vm {

inline constexpr std::size_t kHeaderWords = 2;
inline constexpr std::size_t kCallWords = 2;

// Return addresses of outermost frames.
extern const Instruction* const kProcessEnd;
extern const Instruction* const kNestedEnd;

inline const Function* running_function(const Word* fp) {
  return function_of(Term::from_bits(fp[2]));
}
inline const Instruction* return_address(const Word* fp) {
  return reinterpret_cast<const Instruction*>(fp[1]);
}

// A native that runs the interpreter again (macros): the frame it interrupted.
struct NestedRun {
  NestedRun* outer;
  std::ptrdiff_t fp_offset;  // block_end_ - fp
  const Instruction* pc;     // a call instruction
};

// Calls f(fp, call instruction or null for the innermost, callee_base) for each frame, innermost
// first. Registers below `callee_base` belong to the frame; ~0u for the innermost: all.
template <typename F>
void each_frame(Process& p, F f) {
  Word* fp = p.fp_;
  const Instruction* call = nullptr;
  std::uint32_t base = ~0u;
  NestedRun* nested = p.nested_;
  for (;;) {
    f(fp, call, base);
    const Instruction* back = return_address(fp);
    if (back == kProcessEnd) return;
    if (back == kNestedEnd) {
      fp = p.block_end_ - nested->fp_offset;
      call = nested->pc;
      base = ~0u;
      nested = nested->outer;
    } else {
      call = back - kCallWords;
      base = static_cast<std::uint32_t>(call->a - kHeaderWords);
      fp += call->a;
    }
  }
}

}  // namespace lona::vm
