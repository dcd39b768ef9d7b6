// SPDX-License-Identifier: BSD-2-Clause
// The debug calls of the ABI, in debug kernels only.
#include <string_view>

#include "abi/sel4/syscall.hpp"
#include "kernel/api/dispatch.hpp"
#include "kernel/arch/arch.hpp"
#include "kernel/check/check.hpp"
#include "kernel/check/latency.hpp"
#include "kernel/config.hpp"
#include "kernel/ipc/ipc.hpp"
#include "kernel/object/lookup.hpp"
#include "kernel/sched/scheduler.hpp"

namespace lona::kernel {

namespace {

void print(std::string_view text) {
  for (char c : text) arch::put_char(c);
}

void print_number(Word value) {
  char digits[20];
  unsigned count = 0;
  do {
    digits[count++] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  while (count > 0) arch::put_char(digits[--count]);
}

std::string_view state_name(ThreadState state) {
  switch (state) {
    case ThreadState::kInactive:
      return "inactive";
    case ThreadState::kRunning:
      return "running";
    case ThreadState::kBlockedOnSend:
      return "blocked on send";
    case ThreadState::kBlockedOnReceive:
      return "blocked on receive";
    case ThreadState::kBlockedOnReply:
      return "blocked on reply";
    case ThreadState::kBlockedOnNotification:
      return "blocked on notification";
    case ThreadState::kIdle:
      return "idle";
  }
  return "?";
}

void print_thread(const Tcb& tcb) {
  print("  ");
  print(tcb.name[0] != 0 ? std::string_view(tcb.name) : std::string_view("(no name)"));
  print(", priority ");
  print_number(tcb.priority);
  print(", ");
  print(state_name(tcb.state));
  print("\n");
}

void dump_scheduler() {
  const Scheduler& s = scheduler();
  print("[kernel] threads ready to run:\n");
  if (s.current != nullptr) print_thread(*s.current);
  for (unsigned priority = abi::kNumPriorities; priority-- > 0;) {
    for (const Tcb* tcb = s.ready.first_of(priority); tcb != nullptr; tcb = tcb->ready_next) {
      print_thread(*tcb);
    }
  }
}

// User libraries know the numbers of an empty slot, endpoints and notifications; all others only
// have to differ from these.
Word cap_number(CapType type) {
  switch (type) {
    case CapType::kNull:
      return 0;
    case CapType::kEndpoint:
      return 4;
    case CapType::kNotification:
      return 6;
    default:
      return 32 + static_cast<Word>(type);
  }
}

void identify(Tcb& caller) {
  const auto slot = lookup(caller, caller.context.cap_register());
  caller.context.set_badge(slot ? cap_number((*slot)->cap.type()) : 0);
}

// Bad use is a bug of the program under test: it stops there, as for any fault.
void name_thread(Tcb& caller) {
  const auto slot = lookup(caller, caller.context.cap_register());
  const abi::IpcBuffer* buffer = ipc_buffer_of(caller, false);
  if (!slot || !(*slot)->cap.is(CapType::kTcb) || buffer == nullptr) return;
  Tcb& tcb = *(*slot)->cap.object<Tcb>();
  const char* text = reinterpret_cast<const char*>(buffer->msg);
  unsigned i = 0;
  for (; i + 1 < Tcb::kNameBytes && text[i] != 0; ++i) tcb.name[i] = text[i];
  tcb.name[i] = 0;
}

// One entry of the trace of a core, the newest for 0.
void tell_trace(Tcb& caller) {
  UserContext& context = caller.context;
  const Word core = context.message_register(0);
  const TraceEntry* const found =
      core < cores.count ? cores[static_cast<unsigned>(core)].trace.find(context.cap_register())
                         : nullptr;
  const TraceEntry entry = found != nullptr ? *found : TraceEntry{};
  context.set_badge(static_cast<Word>(entry.kind));
  context.set_msg_info(reinterpret_cast<Word>(entry.thread));
  context.set_message_register(0, entry.time);
  context.set_message_register(1, static_cast<Word>(entry.number));
  context.set_message_register(2, entry.words[0]);
  context.set_message_register(3, entry.words[1]);
}

void check(Tcb& caller) {
  const CheckResult result = check_invariants();
  if (result.complaint) {
    print("[kernel] PANIC: invariant broken: ");
    print(result.complaint.what);
    print(" (at ");
    print_number(result.complaint.where);
    print(")\n");
    arch::halt();
  }
  caller.context.set_badge(result.complete ? result.slots : 0);
}

}  // namespace

bool handle_debug_call(Tcb& caller, long number) {
  if constexpr (!config::kDebug) return false;
  switch (static_cast<abi::Syscall>(number)) {
    case abi::Syscall::kDebugPutChar:
      arch::put_char(static_cast<char>(caller.context.cap_register()));
      return true;
    case abi::Syscall::kDebugDumpScheduler:
    case abi::Syscall::kDebugSnapshot:
      dump_scheduler();
      return true;
    case abi::Syscall::kDebugHalt:
      print("[kernel] halted by a debug call\n");
      arch::halt();
    case abi::Syscall::kDebugCapIdentify:
      identify(caller);
      return true;
    case abi::Syscall::kDebugNameThread:
      name_thread(caller);
      return true;
    case abi::Syscall::kDebugGetThreadAffinity: {
      const auto slot = lookup(caller, caller.context.cap_register());
      const bool is_thread = slot && (*slot)->cap.is(CapType::kTcb);
      caller.context.set_badge(is_thread ? (*slot)->cap.object<Tcb>()->core : 0);
      return true;
    }
    case abi::Syscall::kDebugLatency:
      caller.context.set_badge(latency.longest);
      caller.context.set_msg_info(latency.msg_info);
      latency = Latency();
      return true;
    case abi::Syscall::kDebugTrace:
      tell_trace(caller);
      return true;
    case abi::Syscall::kDebugCheck:
      check(caller);
      return true;
    default:
      return false;
  }
}

}  // namespace lona::kernel
