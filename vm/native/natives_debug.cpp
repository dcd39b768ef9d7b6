// SPDX-License-Identifier: BSD-2-Clause
// What a debug kernel does for the first realm.
#include "vm/data/string.hpp"
#include "vm/native/kernel_op.hpp"

namespace lona::vm::natives {

namespace {

using platform::DebugCall;

Term call(KernelOp& op, DebugCall which, std::uint64_t argument = 0, std::string_view name = {}) {
  if (!op.good()) return op.answer();
  const platform::RealmError error = platform::debug_call(which, argument, name);
  if (error != platform::RealmError::kNone) op.error(describe(error));
  return op.ok();
}

}  // namespace

Term debug_put_char(Process& p, Args args) {
  constexpr std::uint64_t kMostAscii = 127;
  KernelOp op(p, "debug-put-char!", args);
  const std::uint64_t c = args[0].is_character() ? args[0].as_character() : op.word(args[0]);
  if (c > kMostAscii) op.refuse();
  return call(op, DebugCall::kPutChar, c);
}

Term debug_dump_scheduler(Process& p, Args args) {
  KernelOp op(p, "debug-dump-scheduler!", args);
  return call(op, DebugCall::kDumpScheduler);
}

Term debug_halt(Process& p, Args args) {
  KernelOp op(p, "debug-halt!", args);
  return call(op, DebugCall::kHalt);
}

// The kernel writes the name to its log as it is.
Term debug_name_thread(Process& p, Args args) {
  KernelOp op(p, "debug-name-thread!", args);
  if (!is_string(args[1])) op.refuse();
  const std::uint64_t tcb = op.capability(0, MachineType::kTcb);
  const std::string_view name = op.good() ? string_text(args[1]) : std::string_view();
  for (const char c : name) {
    if (c < ' ' || c > '~') op.refuse();
  }
  return call(op, DebugCall::kNameThread, tcb, name);
}

}  // namespace lona::vm::natives
