// SPDX-License-Identifier: BSD-2-Clause
// The benchmark calls of the ABI, in benchmark kernels only: the empty call (entry.cpp), the flush
// of caches, and where the processors' time goes. Of the ABI's ways to log single events there is
// none, so no log buffer is accepted.
#include "abi/sel4/syscall.hpp"
#include "kernel/api/dispatch.hpp"
#include "kernel/arch/arch.hpp"
#include "kernel/config.hpp"
#include "kernel/ipc/ipc.hpp"
#include "kernel/object/lookup.hpp"
#include "kernel/sched/core.hpp"

namespace lona::kernel {

namespace {

Tcb* thread_of(Tcb& caller) {
  const auto slot = lookup(caller, caller.context.cap_register());
  return slot && (*slot)->cap.is(CapType::kTcb) ? (*slot)->cap.object<Tcb>() : nullptr;
}

bool runs_now(const Tcb& tcb) {
  return core_of(tcb).scheduler.current == &tcb;
}

void tell(Tcb& caller) {
  const Tcb* const tcb = thread_of(caller);
  abi::IpcBuffer* const buffer = ipc_buffer_of(caller, true);
  if (tcb == nullptr || buffer == nullptr) return;
  const Ticks now = arch::now();
  const CoreUsage& here = this_core().usage;
  const CoreUsage& there = core_of(*tcb).usage;
  const Ticks turn = runs_now(*tcb) ? there.current_turn(now) : 0;
  const Word words[] = {
      tcb->usage.running + turn, tcb->usage.turns,     tcb->usage.in_kernel, tcb->usage.entries,
      here.idle().running,       there.idle().running, here.idle().turns,    here.idle().in_kernel,
      here.idle().entries,       here.duration(now),   here.total().turns,   here.total().in_kernel,
      here.total().entries,
  };
  unsigned at = 0;
  for (const Word word : words) buffer->msg[at++] = word;
}

void reset(Tcb& caller) {
  Tcb* const tcb = thread_of(caller);
  if (tcb == nullptr) return;
  tcb->usage = {};
  if (runs_now(*tcb)) core_of(*tcb).usage.begin_turn(arch::now());
}

void start() {
  const Ticks now = arch::now();
  for (unsigned i = 0; i < cores.count; ++i) cores[i].usage.start(now);
}

void stop() {
  const Ticks now = arch::now();
  for (unsigned i = 0; i < cores.count; ++i) {
    cores[i].usage.stop(cores[i].scheduler.current, now);
  }
}

}  // namespace

bool handle_benchmark_call(Tcb& caller, long number) {
  if constexpr (!config::kBenchmark) return false;
  switch (static_cast<abi::Syscall>(number)) {
    case abi::Syscall::kBenchmarkFlushCaches:
      arch::flush_caches();
      return true;
    case abi::Syscall::kBenchmarkResetLog:
      start();
      caller.context.set_badge(0);
      return true;
    case abi::Syscall::kBenchmarkFinalizeLog:
      stop();
      caller.context.set_badge(0);
      return true;
    case abi::Syscall::kBenchmarkSetLogBuffer:
      caller.context.set_badge(static_cast<Word>(abi::Error::kIllegalOperation));
      return true;
    case abi::Syscall::kBenchmarkGetThreadUtilisation:
      tell(caller);
      return true;
    case abi::Syscall::kBenchmarkResetThreadUtilisation:
      reset(caller);
      return true;
    default:
      return false;
  }
}

}  // namespace lona::kernel
