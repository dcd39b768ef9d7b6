// SPDX-License-Identifier: BSD-2-Clause
// Breakpoints never watch kernel addresses, and the kernel reaches user memory through its own
// window, so they need not be switched off on entry.
#include "kernel/arch/x86_64/debug_registers.hpp"

#include "abi/sel4/fault.hpp"
#include "base/bits.hpp"
#include "kernel/api/entry.hpp"
#include "kernel/arch/arch.hpp"
#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/sched/scheduler.hpp"

namespace lona::kernel {

namespace {

using abi::Label;
namespace d = abi::debug_exception;

constexpr Word kTrapFlag = 1 << 8, kResumeFlag = 1 << 16;
constexpr Word kStatusSingleStep = 1 << 14;
constexpr Word kControlFixed = 1 << 10;

// The four bits of DR7 that say what breakpoint `index` watches.
enum Condition : Word { kExecute = 0, kWrite = 1, kReadWrite = 3 };
constexpr unsigned condition_at(unsigned index) {
  return 16 + 4 * index;
}
constexpr Word enabled_bit(unsigned index) {
  return Word{1} << (2 * index);
}
constexpr Word mask_of(unsigned index) {
  return enabled_bit(index) | Word{15} << condition_at(index);
}
// Lengths 1, 2, 8 and 4 bytes are encoded 0 to 3.
constexpr Word kLengths[] = {1, 2, 8, 4};

Condition condition_of(const DebugState& state, unsigned index) {
  return static_cast<Condition>(state.control >> condition_at(index) & 3);
}
Word length_of(const DebugState& state, unsigned index) {
  return kLengths[state.control >> (condition_at(index) + 2) & 3];
}
bool is_enabled(const DebugState& state, unsigned index) {
  return (state.control & enabled_bit(index)) != 0;
}

void load(const DebugState& state) {
  asm volatile("movq %0, %%dr0" : : "r"(state.address[0]));
  asm volatile("movq %0, %%dr1" : : "r"(state.address[1]));
  asm volatile("movq %0, %%dr2" : : "r"(state.address[2]));
  asm volatile("movq %0, %%dr3" : : "r"(state.address[3]));
  asm volatile("movq %0, %%dr7" : : "r"(state.control | kControlFixed));
}

void changed(const Tcb& tcb) {
  if (&tcb == current_thread()) load(tcb.debug);
}

// --- Methods -------------------------------------------------------------------------------------

struct Breakpoint {
  unsigned index;
  Word address;
  Condition condition;
  Word encoded_length;
};

Result<Word> encode_length(Word type, Word size) {
  if (type == d::kInstruction) {
    if (size != 0) return fail(Failure::invalid_argument(3));
    return Word{0};
  }
  for (Word i = 0; i < 4; ++i) {
    if (kLengths[i] == size) return i;
  }
  return fail(Failure::invalid_argument(3));
}

Result<Condition> encode_condition(Word type, Word access) {
  if (type == d::kInstruction) {
    if (access != d::kOnRead) return fail(Failure::invalid_argument(4));
    return kExecute;
  }
  if (access == d::kOnWrite) return kWrite;
  if (access == d::kOnReadWrite) return kReadWrite;
  // The processor cannot watch reads alone.
  return fail(Failure::invalid_argument(4));
}

Result<Breakpoint> decode_set(const Invocation& invocation) {
  if (invocation.too_short<Label::kTcbSetBreakpoint>()) return fail(Failure::truncated());
  const Word index = invocation.arg(0), address = invocation.arg(1), type = invocation.arg(2);
  const Word size = invocation.arg(3);
  if (index >= DebugState::kBreakpoints) return fail(Failure::invalid_argument(0));
  if (address >= kUserTop) return fail(Failure::invalid_argument(1));
  if (type != d::kData && type != d::kInstruction) return fail(Failure::invalid_argument(2));
  const Word length = TRY(encode_length(type, size));
  const Condition condition = TRY(encode_condition(type, invocation.arg(4)));
  if (size != 0 && address % size != 0) return fail(Failure::alignment());
  return Breakpoint{static_cast<unsigned>(index), address, condition, length};
}

Done invoke_set(Tcb& tcb, const Breakpoint& breakpoint) {
  DebugState& state = tcb.debug;
  state.address[breakpoint.index] = breakpoint.address;
  state.control &= ~mask_of(breakpoint.index);
  state.control |=
      enabled_bit(breakpoint.index) | (breakpoint.condition | breakpoint.encoded_length << 2)
                                          << condition_at(breakpoint.index);
  changed(tcb);
  return {};
}

Result<unsigned> decode_index(const Invocation& invocation) {
  if (invocation.too_short<Label::kTcbGetBreakpoint>()) return fail(Failure::truncated());
  if (invocation.arg(0) >= DebugState::kBreakpoints) {
    return fail(Failure::range(0, DebugState::kBreakpoints - 1));
  }
  return static_cast<unsigned>(invocation.arg(0));
}

Done invoke_get(Invocation& invocation, const Tcb& tcb, unsigned index) {
  const DebugState& state = tcb.debug;
  const Condition condition = condition_of(state, index);
  const bool instruction = condition == kExecute;
  const Word words[] = {state.address[index], instruction ? d::kInstruction : d::kData,
                        instruction ? 0 : length_of(state, index),
                        instruction           ? d::kOnRead
                        : condition == kWrite ? d::kOnWrite
                                              : d::kOnReadWrite,
                        is_enabled(state, index)};
  unsigned count = 0;
  for (const Word word : words) set_reply_word(invocation.caller, count++, word);
  return {Done::kReply, count};
}

Done invoke_unset(Tcb& tcb, unsigned index) {
  tcb.debug.address[index] = 0;
  tcb.debug.control &= ~mask_of(index);
  changed(tcb);
  return {};
}

Result<Done> decode_single_stepping(Invocation& invocation, Tcb& tcb) {
  if (invocation.too_short<Label::kTcbConfigureSingleStepping>()) {
    return fail(Failure::truncated());
  }
  arch::set_single_stepping(tcb, invocation.arg(1));
  set_reply_word(invocation.caller, 0, 0);
  return Done{Done::kReply, 1};
}

}  // namespace

void arch::set_single_stepping(Tcb& tcb, Word instructions) {
  tcb.debug.step_every = tcb.debug.steps_left = instructions;
  std::uint64_t& flags = tcb.context.rflags;
  flags = instructions != 0 ? flags | kTrapFlag : flags & ~kTrapFlag;
  tcb.context.require_full_restore();
}

Result<Done> arch::decode_debug_method(Invocation& invocation) {
  Tcb& tcb = *invocation.cap.object<Tcb>();
  hold(tcb);
  switch (invocation.label) {
    case Label::kTcbSetBreakpoint:
      return invoke_set(tcb, TRY(decode_set(invocation)));
    case Label::kTcbGetBreakpoint:
      return invoke_get(invocation, tcb, TRY(decode_index(invocation)));
    case Label::kTcbUnsetBreakpoint:
      return invoke_unset(tcb, TRY(decode_index(invocation)));
    case Label::kTcbConfigureSingleStepping:
      return decode_single_stepping(invocation, tcb);
    default:
      return fail(Failure::illegal_operation());
  }
}

void debug_switch_to(const Tcb& tcb) {
  Word loaded;
  asm volatile("movq %%dr7, %0" : "=r"(loaded));
  if (tcb.debug.control != 0 || (loaded & ~kControlFixed) != 0) load(tcb.debug);
}

Tcb* handle_debug_trap(Tcb& tcb) {
  Word status;
  asm volatile("movq %%dr6, %0" : "=r"(status));
  asm volatile("movq %0, %%dr6" : : "r"(Word{0xffff'0ff0}));
  DebugState& state = tcb.debug;
  for (unsigned i = 0; i < DebugState::kBreakpoints; ++i) {
    if ((status >> i & 1) == 0 || !is_enabled(state, i)) continue;
    const bool instruction = condition_of(state, i) == kExecute;
    // The instruction runs when the thread goes on, instead of hitting the breakpoint again.
    if (instruction) tcb.context.rflags |= kResumeFlag;
    return handle_debug_exception(instruction ? d::kInstruction : d::kData, state.address[i], i);
  }
  if ((status & kStatusSingleStep) == 0 || state.step_every == 0) {
    constexpr Word kVector = 1;
    return handle_user_exception(kVector, 0);
  }
  if (--state.steps_left != 0) return &tcb;
  state.steps_left = state.step_every;
  return handle_debug_exception(d::kSingleStep, 0, 0);
}

Tcb* handle_software_break() {
  return handle_debug_exception(d::kSoftwareBreak, 0, 0);
}

}  // namespace lona::kernel
