// SPDX-License-Identifier: BSD-2-Clause
// Threads: messages between them, faults, registers, FPU, time.
#include "tests/kernel/harness.hpp"
#include "tests/kernel/tests.hpp"

namespace lona::test {

namespace {

struct Channel {
  CPtr endpoint, reply, notification;
};
Channel channel;

void passive_server(Word) {
  // The first receive tells that it is ready; afterwards it runs on its callers' time.
  abi::Message m = abi::nb_send_recv(channel.notification, abi::MessageInfo{}, {}, channel.endpoint,
                                     channel.reply);
  for (;;) {
    m = abi::reply_recv(channel.endpoint, abi::MessageInfo(m.info.label() + 1, 0, 0, 1),
                        {m.words.mr0 + m.words.mr1 + m.badge, 0, 0, 0}, channel.reply);
  }
}

}  // namespace

void calls_reach_a_passive_server() {
  channel = {make(ObjectType::kEndpoint), make(ObjectType::kReply),
             make(ObjectType::kNotification)};
  Thread server(passive_server, 0, 250);
  server.start();
  (void)abi::wait(channel.notification);
  CHECK_OK(abi::sched_context_unbind(server.sched_context()));
  const CPtr badged = new_slot();
  CHECK_OK(
      abi::cnode_mint(slot_address(badged), slot_address(channel.endpoint), abi::kAllRights, 1000));
  for (Word i = 0; i < 100; ++i) {
    const abi::Message m = abi::call(badged, abi::MessageInfo(i, 0, 0, 2), {i, 5, 0, 0});
    CHECK(m.info.label() == i + 1 && m.info.length() == 1);
    CHECK(m.words.mr0 == i + 5 + 1000);
  }
}

void notifications_collect_badges() {
  const CPtr notification = make(ObjectType::kNotification), one = new_slot(), two = new_slot();
  CHECK_OK(abi::cnode_mint(slot_address(one), slot_address(notification), abi::kAllRights, 1));
  CHECK_OK(abi::cnode_mint(slot_address(two), slot_address(notification), abi::kAllRights, 2));
  CHECK(abi::poll(notification).badge == 0);
  abi::signal(one);
  abi::signal(two);
  CHECK(abi::wait(notification).badge == 3);
  CHECK(abi::poll(notification).badge == 0);
}

namespace {

void undefined_instruction(Word) {
  asm volatile("ud2");
  park();
}
void divide_by_zero(Word) {
  asm volatile("xorl %%edx, %%edx; xorl %%eax, %%eax; divl %%eax" : : : "eax", "edx");
  park();
}
void privileged_instruction(Word) {
  asm volatile("cli");
  park();
}
void software_interrupt(Word) {
  asm volatile("int $0x80");
  park();
}
void kernel_vector(Word) {
  asm volatile("int $0xf0");
  park();
}
[[maybe_unused]] void breakpoint(Word) {
  asm volatile("int3");
  park();
}
void port_access(Word) {
  asm volatile("inb $0x60, %%al" : : : "eax");
  park();
}
void wrong_alignment_of_sse(Word) {
  asm volatile("movaps 1(%%rsp), %%xmm0" : : : "xmm0");
  park();
}

void expect_exception(Thread::Entry entry, Word number) {
  Thread thread(entry);
  thread.start();
  const CPtr reply = make(ObjectType::kReply);
  const abi::Message m = abi::recv(thread.fault_endpoint(), reply);
  CHECK(m.info.label() == static_cast<Word>(abi::FaultKind::kUserException));
  CHECK(m.info.length() == abi::user_exception::kLength);
  CHECK(m.words.mr3 == number);
  CHECK(m.words.mr0 >= thread.registers().rip && m.words.mr0 < thread.registers().rip + 64);
}

Word resumed = 0;
void skip_two_bytes(Word) {
  asm volatile("ud2");
  resumed = 1;
  park();
}

}  // namespace

void exceptions_become_fault_messages() {
  expect_exception(divide_by_zero, 0);
  // With hardware debugging this is a debug fault.
  if constexpr (!abi::kConfiguration.hardware_debug) expect_exception(breakpoint, 3);
  expect_exception(undefined_instruction, 6);
  expect_exception(privileged_instruction, 13);
  expect_exception(software_interrupt, 13);
  expect_exception(kernel_vector, 13);
  expect_exception(port_access, 13);
  expect_exception(wrong_alignment_of_sse, 13);

  Thread thread(skip_two_bytes, 0, abi::kMaxPriority);
  thread.start();
  const CPtr reply = make(ObjectType::kReply);
  const abi::Message m = abi::recv(thread.fault_endpoint(), reply);
  resumed = 0;
  abi::send(reply, abi::MessageInfo(0, 0, 0, 1), {m.words.mr0 + 2, 0, 0, 0});
  for (unsigned i = 0; i < 100 && *const_cast<volatile Word*>(&resumed) == 0; ++i) {
    CHECK(abi::sched_context_yield_to(thread.sched_context()).error == Error::kNone);
  }
  CHECK(*const_cast<volatile Word*>(&resumed) == 1);
}

namespace {

void unknown_call(Word) {
  register Word number asm("rdx") = 4711;
  asm volatile("movl $123, %%eax; syscall" : : "r"(number) : "rax", "rcx", "r11", "memory");
  park();
}

}  // namespace

void unknown_system_calls_become_fault_messages() {
  Thread thread(unknown_call);
  thread.start();
  const CPtr reply = make(ObjectType::kReply);
  const abi::Message m = abi::recv(thread.fault_endpoint(), reply);
  CHECK(m.info.label() == static_cast<Word>(abi::FaultKind::kUnknownSyscall));
  CHECK(m.info.length() == abi::unknown_syscall::kLength);
  CHECK(m.words.mr0 == 123);
  const abi::IpcBuffer& buffer = abi::ipc_buffer();
  CHECK(buffer.msg[abi::unknown_syscall::kSyscall] == 4711);
  const Word ip = buffer.msg[abi::unknown_syscall::kFaultIp];
  CHECK(ip >= thread.registers().rip && ip < thread.registers().rip + 64);
  CHECK(*reinterpret_cast<const std::uint16_t*>(ip) == 0x050f);
}

namespace {

void spin(Word) {
  for (;;) asm volatile("pause");
}

}  // namespace

void bad_register_values_harm_only_their_thread() {
  constexpr Word kBad[] = {0x8000'0000'0000, 0xffff'8000'0000'0000, 0xdead'beef'dead'beef, ~Word{0},
                           abi::kUserTop};
  for (const Word bad : kBad) {
    Thread thread(spin);
    thread.registers().rip = bad;
    thread.start();
    const CPtr reply = make(ObjectType::kReply);
    const abi::Message m = abi::recv(thread.fault_endpoint(), reply);
    CHECK(m.info.label() == static_cast<Word>(abi::FaultKind::kVm) ||
          m.info.label() == static_cast<Word>(abi::FaultKind::kUserException));
  }
  for (const Word bad : kBad) {
    Thread thread(spin, 0, abi::kMaxPriority);
    thread.registers().rsp = bad;
    thread.registers().fs_base = bad;
    thread.registers().gs_base = bad;
    thread.registers().rflags = ~Word{0};
    thread.start();
    (void)abi::sched_context_yield_to(thread.sched_context());
    abi::UserRegisters now{};
    CHECK_OK(abi::tcb_read_registers(thread.tcb(), true, abi::kUserRegisterCount, now));
    // Interrupts stay on, and the I/O privilege level stays 0.
    CHECK((now.rflags & 0x3200) == 0x200);
  }
}

namespace {

// What the two threads find at their bases, and how often they looked.
Word at_base[2][2], looks[2];

void look_at_bases(Word which) {
  for (;;) {
    Word fs, gs;
    asm volatile("movq %%fs:0, %0\n movq %%gs:0, %1" : "=r"(fs), "=r"(gs));
    at_base[which][0] = fs;
    at_base[which][1] = gs;
    ++looks[which];
    abi::yield();
  }
}

}  // namespace

// The root task, whose GS base is 0, runs in between.
void segment_bases_stay_with_their_thread() {
  static Word values[2][2] = {{11, 12}, {21, 22}};
  looks[0] = looks[1] = 0;
  Thread one(look_at_bases, 0, abi::kMaxPriority), two(look_at_bases, 1, abi::kMaxPriority);
  Thread* const threads[] = {&one, &two};
  for (unsigned i = 0; i < 2; ++i) {
    threads[i]->registers().fs_base = reinterpret_cast<Word>(&values[i][0]);
    threads[i]->registers().gs_base = reinterpret_cast<Word>(&values[i][1]);
    threads[i]->start();
  }
  for (unsigned round = 0; round < 5; ++round) {
    abi::yield();
    for (unsigned i = 0; i < 2; ++i) {
      CHECK(looks[i] > 0);
      CHECK(at_base[i][0] == values[i][0] && at_base[i][1] == values[i][1]);
      looks[i] = at_base[i][0] = at_base[i][1] = 0;
    }
  }
}

void a_system_call_at_the_end_of_user_space_returns() {
  constexpr Word kLastPage = abi::kUserTop - 4096;
  map_tables_at(abi::kSlotInitVSpace, kLastPage);
  const CPtr page = make(ObjectType::kPage4K);
  CHECK_OK(abi::page_map(page, abi::kSlotInitVSpace, kLastPage, abi::kReadWrite));
  // SYSCALL in the last two bytes: the processor would return behind the end.
  auto* code = reinterpret_cast<volatile unsigned char*>(kLastPage);
  code[4094] = 0x0f;
  code[4095] = 0x05;
  Thread thread(spin);
  thread.registers().rip = kLastPage + 4094;
  thread.registers().rdx = static_cast<Word>(abi::Syscall::kYield);
  thread.start();
  const CPtr reply = make(ObjectType::kReply);
  const abi::Message m = abi::recv(thread.fault_endpoint(), reply);
  CHECK(m.info.label() == static_cast<Word>(abi::FaultKind::kVm));
  CHECK(m.words.mr0 == abi::kUserTop);
  CHECK(m.words.mr2 == 1);
}

namespace {

Word mismatches = 0;
volatile Word rounds[2];

// Keeps a value in an SSE register over many preemptions.
void keep_in_sse(Word which) {
  const Word value = 0x1111'1111'1111'1111 * (which + 1);
  asm volatile("movq %0, %%xmm7" : : "r"(value) : "xmm7");
  for (;;) {
    Word now;
    asm volatile("movq %%xmm7, %0" : "=r"(now));
    if (now != value) ++mismatches;
    rounds[which] = rounds[which] + 1;
    abi::yield();
  }
}

void wait_for_rounds(Word count) {
  // The root task stands aside: its own context is used up round after round.
  for (unsigned i = 0; i < 100'000 && (rounds[0] < count || rounds[1] < count); ++i) abi::yield();
}

}  // namespace

void sse_state_belongs_to_its_thread() {
  mismatches = 0;
  rounds[0] = 0;
  rounds[1] = 0;
  Thread a(keep_in_sse, 0, 255), b(keep_in_sse, 1, 255);
  a.start();
  b.start();
  asm volatile("movq %0, %%xmm7" : : "r"(Word{5}) : "xmm7");
  wait_for_rounds(20);
  CHECK(rounds[0] >= 20 && rounds[1] >= 20);
  CHECK(mismatches == 0);
}

namespace {

void use_sse(Word) {
  asm volatile("xorps %%xmm0, %%xmm0" : : : "xmm0");
  park();
}

}  // namespace

void a_thread_without_fpu_gets_an_exception() {
  Thread thread(use_sse);
  CHECK(abi::tcb_set_flags(thread.tcb(), 0, abi::kTcbFlagFpuDisabled).error == Error::kNone);
  thread.start();
  const CPtr reply = make(ObjectType::kReply);
  const abi::Message m = abi::recv(thread.fault_endpoint(), reply);
  CHECK(m.info.label() == static_cast<Word>(abi::FaultKind::kUserException));
  CHECK(m.words.mr3 == 7);
  // The root task itself may still use it.
  asm volatile("xorps %%xmm0, %%xmm0" : : : "xmm0");
}

namespace {

void fill_sse(Word value) {
  asm volatile("movq %0, %%xmm7" : : "r"(value) : "xmm7");
  park();
}

// Without the FPU: leaves an owner's state in the registers by ending it, then looks at them.
void end_owner_then_look(Word owner) {
  (void)abi::cnode_delete(slot_address(owner));
  asm volatile("movq %%xmm7, %%rax" : : : "rax", "xmm7");
  park();
}

}  // namespace

void sse_state_of_a_stopped_thread_is_out_of_reach() {
  // The owner runs last before the looking thread, so the registers still hold its state then.
  Thread owner(fill_sse, 4711, 250), thread(end_owner_then_look, owner.tcb(), 200);
  CHECK(abi::tcb_set_flags(thread.tcb(), 0, abi::kTcbFlagFpuDisabled).error == Error::kNone);
  thread.start();
  owner.start();
  const CPtr reply = make(ObjectType::kReply);
  const abi::Message m = abi::recv(thread.fault_endpoint(), reply);
  CHECK(m.info.label() == static_cast<Word>(abi::FaultKind::kUserException));
  CHECK(m.words.mr3 == 7);
}

namespace {

Word thread_words[2] = {100, 200};

void check_thread_pointer(Word which) {
  for (;;) {
    Word seen;
    asm volatile("movq %%fs:0, %0" : "=r"(seen));
    if (seen != thread_words[which]) ++mismatches;
    rounds[which] = rounds[which] + 1;
    // Loading the selector clears the base in some processors; the kernel must not rely on it.
    abi::yield();
  }
}

}  // namespace

void thread_pointers_belong_to_their_thread() {
  mismatches = 0;
  rounds[0] = 0;
  rounds[1] = 0;
  Thread a(check_thread_pointer, 0, 255), b(check_thread_pointer, 1, 255);
  a.registers().fs_base = reinterpret_cast<Word>(&thread_words[0]);
  a.start();
  CHECK_OK(abi::tcb_set_tls_base(b.tcb(), reinterpret_cast<Word>(&thread_words[1])));
  b.registers().fs_base = reinterpret_cast<Word>(&thread_words[1]);
  b.start();
  wait_for_rounds(20);
  CHECK(rounds[0] >= 20 && rounds[1] >= 20);
  CHECK(mismatches == 0);
}

namespace {

void count(Word which) {
  for (;;) rounds[which] = rounds[which] + 1;
}

void sleep_by_spinning(Word milliseconds) {
  const Word end = read_tsc() + milliseconds * ticks_per_ms();
  while (read_tsc() < end) abi::yield();
}

}  // namespace

namespace {

constinit volatile Word beats = 0;

void beat(Word) {
  for (;;) beats = beats + 1;
}

// Waits without giving up the processor.
void spin_ms(Word ms) {
  const Word begin = read_tsc();
  while (read_tsc() - begin < ms * ticks_per_ms()) {
  }
}

}  // namespace

void threads_run_in_their_domain_only() {
  constexpr CPtr kDomains = abi::kSlotDomain;
  constexpr Word kForEver = (Word{1} << 56) - 1, kMs = 5;
  Thread thread(beat, 0, 255);
  CHECK_OK(abi::domain_set(kDomains, 1, thread.tcb()));
  beats = 0;
  thread.start();
  abi::yield();
  spin_ms(2 * kMs);
  CHECK(beats == 0);

  const Word slice = kMs * ticks_per_ms();
  CHECK_OK(abi::domain_schedule_configure(kDomains, 0, 0, slice));
  CHECK_OK(abi::domain_schedule_configure(kDomains, 1, 1, slice));
  CHECK_OK(abi::domain_schedule_set_start(kDomains, 0));
  // Both beat in turn, for a slice each: while this one runs the other's count stands still.
  Word turns = 0, seen = beats;
  const Word begin = read_tsc();
  while (turns < 6 && read_tsc() - begin < 400 * slice) {
    const Word now = beats;
    turns += now != seen;
    seen = now;
  }
  CHECK(turns == 6);
  // However late a busy host lets a slice end, none ends early.
  CHECK(read_tsc() - begin >= (2 * turns - 1) * slice);

  CHECK_OK(abi::domain_schedule_configure(kDomains, 0, 0, kForEver));
  CHECK_OK(abi::domain_schedule_set_start(kDomains, 0));
  CHECK_OK(abi::domain_schedule_configure(kDomains, 1, 0, 0));
  seen = beats;
  spin_ms(2 * kMs);
  CHECK(beats == seen);
  // In the domain that runs, it runs.
  CHECK_OK(abi::domain_set(kDomains, 0, thread.tcb()));
  spin_ms(4 * kMs);
  CHECK(beats != seen);
}

namespace {

[[noreturn]] void yield_for_ever(Word) {
  for (;;) abi::yield();
}

}  // namespace

void yield_to_is_answered_when_the_other_yields() {
  Thread thread(yield_for_ever, 0, abi::kMaxPriority);
  thread.start();
  for (unsigned i = 0; i < 10; ++i) {
    const auto answer = abi::sched_context_yield_to(thread.sched_context());
    CHECK(answer.error == Error::kNone);
    CHECK(answer.value > 0);
  }
}

void threads_of_one_priority_share_the_processor() {
  rounds[0] = 0;
  rounds[1] = 0;
  Thread a(count, 0, 255), b(count, 1, 255);
  a.start();
  b.start();
  // Without preemption the first of them would never stop. The limit is generous because the whole
  // machine may stand still for a while in an emulator.
  const Word end = read_tsc() + 5'000 * ticks_per_ms();
  while ((rounds[0] == 0 || rounds[1] == 0) && read_tsc() < end) abi::yield();
  CHECK(rounds[0] > 0 && rounds[1] > 0);
}

void a_budget_limits_its_thread() {
  rounds[0] = 0;
  Thread thread(count, 0, 254);
  // 2 ms in every 50 ms.
  CHECK_OK(abi::sched_control_configure(info->sched_control.start, thread.sched_context(), 2'000,
                                        50'000, 0, 0, 0));
  Thread below(spin, 0, 100);
  below.start();
  thread.start();
  // This thread must not stand in the way: it yields its slices to nobody above, so it lowers
  // itself below the counting thread for the time of the test.
  CHECK_OK(abi::tcb_set_priority(abi::kSlotInitTcb, abi::kSlotInitTcb, 100));
  // Its share is one part in 25. A machine that stands still at the wrong time adds to it, so one
  // good measurement is enough; without the limit there would be none.
  bool limited = false;
  for (unsigned attempt = 0; attempt < 10 && !limited; ++attempt) {
    (void)abi::sched_context_consumed(thread.sched_context());
    const Word begin = read_tsc();
    sleep_by_spinning(150);
    const Word elapsed_us = (read_tsc() - begin) * 1000 / ticks_per_ms();
    const abi::WordResult used = abi::sched_context_consumed(thread.sched_context());
    CHECK(used.error == Error::kNone);
    limited = used.value > 0 && used.value < elapsed_us / 4;
  }
  CHECK_OK(abi::tcb_set_priority(abi::kSlotInitTcb, abi::kSlotInitTcb, 255));
  CHECK(limited);
}

}  // namespace lona::test
