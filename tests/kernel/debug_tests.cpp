// SPDX-License-Identifier: BSD-2-Clause
// Breakpoints, single-stepping, and what debug and benchmark kernels tell.
#include "tests/kernel/harness.hpp"
#include "tests/kernel/tests.hpp"

namespace lona::test {

namespace {

namespace d = abi::debug_exception;

constinit volatile Word watched = 0;

extern "C" {
void test_step_begin();
void test_step_end();
void test_break_end();
}

void step(Word) {
  asm volatile(
      ".globl test_step_begin, test_step_end\n"
      "test_step_begin: nop; nop; nop; nop\n"
      "test_step_end: nop");
  park();
}

void touch(Word) {
  watched = 7;
  [[maybe_unused]] const Word value = watched;
  park();
}

void software_break(Word) {
  asm volatile(
      ".globl test_break_end\n"
      "int3\n"
      "test_break_end: nop");
  watched = 1;
  park();
}

Word address_of(void (*function)()) {
  return reinterpret_cast<Word>(function);
}
Word address_of(const volatile Word& word) {
  return reinterpret_cast<Word>(&word);
}

// The next fault of the thread: its reason is `reason`, and it stopped at `ip` (0: anywhere).
abi::Message expect_debug_fault(const Thread& thread, CPtr reply, Word reason, Word ip = 0) {
  const abi::Message m = abi::recv(thread.fault_endpoint(), reply);
  CHECK(m.info.label() == static_cast<Word>(abi::FaultKind::kDebug));
  CHECK(m.words.mr1 == reason);
  CHECK(ip == 0 || m.words.mr0 == ip);
  return m;
}

void check_arguments(CPtr tcb) {
  const Word data = address_of(watched);
  const auto set = [&](Word index, Word address, Word type, Word size, Word access) {
    return abi::tcb_set_breakpoint(tcb, index, address, type, size, access);
  };
  CHECK(set(4, data, d::kData, 8, d::kOnWrite) == Error::kInvalidArgument);
  CHECK(set(0, abi::kUserTop, d::kData, 8, d::kOnWrite) == Error::kInvalidArgument);
  CHECK(set(0, data, d::kSingleStep, 8, d::kOnWrite) == Error::kInvalidArgument);
  CHECK(set(0, data, d::kData, 3, d::kOnWrite) == Error::kInvalidArgument);
  CHECK(set(0, data, d::kData, 8, d::kOnRead) == Error::kInvalidArgument);
  CHECK(set(0, data, d::kInstruction, 8, d::kOnRead) == Error::kInvalidArgument);
  CHECK(set(0, data, d::kInstruction, 0, d::kOnWrite) == Error::kInvalidArgument);
  CHECK(set(0, data + 4, d::kData, 8, d::kOnWrite) == Error::kAlignmentError);
  CHECK(abi::tcb_unset_breakpoint(tcb, 4) == Error::kRangeError);
  CHECK(abi::tcb_get_breakpoint(tcb, 4).error == Error::kRangeError);

  CHECK_OK(set(3, data, d::kData, 4, d::kOnReadWrite));
  abi::Breakpoint got = abi::tcb_get_breakpoint(tcb, 3);
  CHECK(got.error == Error::kNone && got.address == data && got.type == d::kData);
  CHECK(got.size == 4 && got.access == d::kOnReadWrite && got.enabled == 1);
  CHECK_OK(abi::tcb_unset_breakpoint(tcb, 3));
  CHECK(abi::tcb_get_breakpoint(tcb, 3).enabled == 0);
}

}  // namespace

void breakpoints_stop_a_thread() {
  const CPtr reply = make(ObjectType::kReply);
  Thread thread(step);
  check_arguments(thread.tcb());
  const Word begin = address_of(test_step_begin), end = address_of(test_step_end);
  CHECK_OK(abi::tcb_set_breakpoint(thread.tcb(), 0, begin, d::kInstruction, 0, d::kOnRead));
  CHECK_OK(abi::tcb_set_breakpoint(thread.tcb(), 1, end, d::kInstruction, 0, d::kOnRead));
  thread.start();
  CHECK(expect_debug_fault(thread, reply, d::kInstruction, begin).words.mr3 == 0);
  // The answer lets it go on past the breakpoint that stopped it.
  abi::send(reply, abi::MessageInfo());
  CHECK(expect_debug_fault(thread, reply, d::kInstruction, end).words.mr3 == 1);

  Thread writer(touch);
  CHECK_OK(
      abi::tcb_set_breakpoint(writer.tcb(), 2, address_of(watched), d::kData, 8, d::kOnReadWrite));
  writer.start();
  // The first stop is behind the write, the second behind the read.
  const abi::Message first = expect_debug_fault(writer, reply, d::kData);
  CHECK(watched == 7 && first.words.mr2 == address_of(watched) && first.words.mr3 == 2);
  abi::send(reply, abi::MessageInfo());
  CHECK(expect_debug_fault(writer, reply, d::kData).words.mr0 > first.words.mr0);
  // Breakpoints are the thread's own.
  watched = 0;
}

void single_steps_stop_a_thread() {
  const CPtr reply = make(ObjectType::kReply);
  Thread thread(step);
  const Word begin = address_of(test_step_begin), end = address_of(test_step_end);
  CHECK_OK(abi::tcb_set_breakpoint(thread.tcb(), 0, begin, d::kInstruction, 0, d::kOnRead));
  thread.start();
  expect_debug_fault(thread, reply, d::kInstruction, begin);
  CHECK(abi::tcb_configure_single_stepping(thread.tcb(), 0, 1).error == Error::kNone);
  abi::send(reply, abi::MessageInfo());
  CHECK(expect_debug_fault(thread, reply, d::kSingleStep, begin + 1).info.length() == 2);
  // Two instructions to the next stop.
  abi::send(reply, abi::MessageInfo(0, 0, 0, 1), {2});
  expect_debug_fault(thread, reply, d::kSingleStep, begin + 3);
  abi::send(reply, abi::MessageInfo(0, 0, 0, 1), {1});
  expect_debug_fault(thread, reply, d::kSingleStep, end);
  abi::send(reply, abi::MessageInfo(0, 0, 0, 1), {0});

  watched = 0;
  Thread breaker(software_break);
  breaker.start();
  expect_debug_fault(breaker, reply, d::kSoftwareBreak, address_of(test_break_end));
  CHECK(watched == 0);
  abi::send(reply, abi::MessageInfo());
  CHECK_OK(abi::tcb_set_priority(breaker.tcb(), abi::kSlotInitTcb, 255));
  abi::yield();
  CHECK(watched == 1);
}

namespace {

constexpr Word kTraceSyscall = 1, kTraceRun = 3;
constinit CPtr trace_was_read = 0;
constinit Word age_of_signal = 0, age_of_switch = 0;

// Signals, and looks for that, and before it the switch to this thread, in what its core did.
void read_trace(Word unused_slot) {
  abi::signal(unused_slot);
  abi::yield();
  for (Word age = 0; age < 64 && age_of_switch == 0; ++age) {
    const abi::KernelTrace step = abi::debug_trace(0, age);
    if (step.kind == kTraceSyscall && step.number == static_cast<long>(abi::Syscall::kSend) &&
        step.words[0] == unused_slot) {
      age_of_signal = age;
    }
    if (step.kind == kTraceRun && age_of_signal != 0) age_of_switch = age;
  }
  abi::signal(trace_was_read);
  park();
}

}  // namespace

void a_debug_kernel_keeps_a_trace() {
  trace_was_read = make(ObjectType::kNotification);
  Thread thread(read_trace, new_slot());
  // A kernel without a trace reports the call as a fault.
  CHECK_OK(abi::tcb_bind_notification(abi::kSlotInitTcb, trace_was_read));
  thread.start();
  const abi::Message m = abi::recv(thread.fault_endpoint(), make(ObjectType::kReply));
  CHECK_OK(abi::tcb_unbind_notification(abi::kSlotInitTcb));
  if (m.badge == kFaultBadge) {
    CHECK(m.info.label() == static_cast<Word>(abi::FaultKind::kUnknownSyscall));
    return print("(no trace) ");
  }
  CHECK(age_of_signal != 0);
  CHECK(age_of_switch > age_of_signal);
}

namespace {

constinit CPtr work_is_done = 0;

void call_nothing(Word) {
  abi::benchmark_null_syscall();
  abi::signal(work_is_done);
  park();
}

void work_for_a_while(Word ms) {
  for (const Word begin = read_tsc(); read_tsc() - begin < ms * ticks_per_ms();) {
  }
  abi::signal(work_is_done);
  park();
}

// A kernel without the benchmark calls reports the first one as a fault.
bool has_benchmark_calls() {
  Thread thread(call_nothing);
  CHECK_OK(abi::tcb_bind_notification(abi::kSlotInitTcb, work_is_done));
  thread.start();
  const abi::Message m = abi::recv(thread.fault_endpoint(), make(ObjectType::kReply));
  CHECK_OK(abi::tcb_unbind_notification(abi::kSlotInitTcb));
  return m.badge != kFaultBadge;
}

}  // namespace

void a_benchmark_kernel_tells_where_time_goes() {
  constexpr Word kMs = 5;
  work_is_done = make(ObjectType::kNotification);
  if (!has_benchmark_calls()) return print("(no benchmark calls) ");
  Thread thread(work_for_a_while, kMs);
  abi::benchmark_reset_thread_utilisation(abi::kSlotInitTcb);
  abi::benchmark_reset_log();
  const Word begin = read_tsc();
  thread.start();
  (void)abi::wait(work_is_done);
  abi::benchmark_finalize_log();
  const Word duration = read_tsc() - begin;

  const abi::Utilisation other = abi::benchmark_get_thread_utilisation(thread.tcb());
  CHECK(other.running >= kMs * ticks_per_ms() && other.running <= other.total);
  CHECK(other.turns >= 1 && other.entries >= 1);
  CHECK(other.in_kernel > 0 && other.in_kernel < other.running);
  CHECK(other.total > other.running && other.total < 2 * duration);
  CHECK(other.total_entries > other.entries && other.total_turns > other.turns);
  const abi::Utilisation self = abi::benchmark_get_thread_utilisation(abi::kSlotInitTcb);
  CHECK(self.running > 0 && self.running + other.running + self.idle_here <= self.total);
  CHECK(self.entries >= 3 && self.total == other.total);
  abi::benchmark_reset_thread_utilisation(thread.tcb());
  CHECK(abi::benchmark_get_thread_utilisation(thread.tcb()).running == 0);
  abi::benchmark_flush_caches();
}

}  // namespace lona::test
