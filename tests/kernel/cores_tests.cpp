// SPDX-License-Identifier: BSD-2-Clause
// What threads on different cores see of each other. The root task's thread runs on core 0 and
// spins where it watches others, so what it sees was done by another core. On a machine with one
// core there is nothing to test.
#include <atomic>

#include "tests/kernel/harness.hpp"
#include "tests/kernel/tests.hpp"

namespace lona::test {

namespace {

constexpr Word kMaxCores = 16;

bool one_core() {
  return info->num_nodes < 2;
}
Word last_core() {
  return info->num_nodes - 1;
}

// Waits without giving the core away; false after five seconds.
template <typename Condition>
bool eventually(Condition&& condition) {
  const Word end = read_tsc() + 5'000 * ticks_per_ms();
  while (!condition()) {
    if (read_tsc() > end) return false;
    asm volatile("pause");
  }
  return true;
}

void wait_us(Word us) {
  const Word end = read_tsc() + us * ticks_per_ms() / 1000;
  while (read_tsc() < end) asm volatile("pause");
}

// --- Running -------------------------------------------------------------------------------------

std::atomic<Word> beats[kMaxCores];

void beat(Word which) {
  for (;;) beats[which].fetch_add(1, std::memory_order_relaxed);
}

bool goes_on(Word which) {
  const Word now = beats[which];
  return eventually([=] { return beats[which] != now; });
}
bool stands_still(Word which) {
  const Word now = beats[which];
  wait_us(2'000);
  return beats[which] == now;
}

}  // namespace

void every_core_runs_its_threads() {
  if (one_core()) return;
  for (Word core = 1; core < info->num_nodes; ++core) {
    Thread thread(beat, core, 200, false, core);
    thread.start();
    CHECK(goes_on(core));
  }
  // All at once, too.
  Thread first(beat, 1, 200, false, 1), last(beat, 2, 200, false, last_core());
  first.start();
  last.start();
  CHECK(goes_on(1));
  CHECK(goes_on(2));
}

void threads_of_another_core_share_it() {
  if (one_core()) return;
  Thread a(beat, 1, 200, false, 1), b(beat, 2, 200, false, 1), above(beat, 3, 201, false, 1);
  a.start();
  b.start();
  for (int i = 0; i < 4; ++i) {
    CHECK(goes_on(1));
    CHECK(goes_on(2));
  }
  above.start();
  CHECK(goes_on(3));
  CHECK(stands_still(1));
  CHECK(stands_still(2));
  CHECK_OK(abi::tcb_set_priority(above.tcb(), abi::kSlotInitTcb, 100));
  CHECK(goes_on(1));
  CHECK(goes_on(2));
}

void a_budget_limits_a_thread_of_another_core() {
  if (one_core()) return;
  Thread thread(beat, 1, 200, false, 1);
  // 2 ms in every 40 ms.
  CHECK_OK(abi::sched_control_configure(info->sched_control.start + 1, thread.sched_context(),
                                        2'000, 40'000, 0, 0, 0));
  thread.start();
  CHECK(goes_on(1));
  // Its share is one part in 20. An emulator that pauses the core at the wrong time adds to it, so
  // one good measurement is enough; without the limit there would be none.
  CHECK(eventually([&] {
    (void)abi::sched_context_consumed(thread.sched_context());
    const Word begin = read_tsc();
    wait_us(120'000);
    const Word used = abi::sched_context_consumed(thread.sched_context()).value;
    const Word elapsed_us = (read_tsc() - begin) * 1000 / ticks_per_ms();
    return used > 0 && used < elapsed_us / 4;
  }));
}

// --- Messages ------------------------------------------------------------------------------------

namespace {

struct Channel {
  CPtr endpoint, reply, ping, pong;
};
Channel channel;

void open_channel() {
  channel = {make(ObjectType::kEndpoint), make(ObjectType::kReply), make(ObjectType::kNotification),
             make(ObjectType::kNotification)};
}

void adding_server(Word) {
  abi::Message m =
      abi::nb_send_recv(channel.pong, abi::MessageInfo{}, {}, channel.endpoint, channel.reply);
  for (;;) {
    m = abi::reply_recv(channel.endpoint, abi::MessageInfo(m.info.label() + 1, 0, 0, 2),
                        {m.words.mr0 + m.words.mr1, m.words.mr0, 0, 0}, channel.reply);
  }
}

void ponging(Word) {
  for (;;) {
    (void)abi::wait(channel.ping);
    abi::signal(channel.pong);
  }
}

}  // namespace

void calls_and_answers_cross_cores() {
  if (one_core()) return;
  open_channel();
  Thread server(adding_server, 0, 200, false, last_core());
  server.start();
  (void)abi::wait(channel.pong);
  Word wrong = 0;
  for (Word i = 0; i < 300; ++i) {
    const abi::Message m = abi::call(channel.endpoint, abi::MessageInfo(i, 0, 0, 2), {i, 7, 0, 0});
    wrong += m.info.label() != i + 1 || m.words.mr0 != i + 7 || m.words.mr1 != i;
  }
  CHECK(wrong == 0);
}

void signals_cross_cores() {
  if (one_core()) return;
  open_channel();
  Thread other(ponging, 0, 200, false, last_core());
  other.start();
  for (Word i = 0; i < 300; ++i) {
    abi::signal(channel.ping);
    (void)abi::wait(channel.pong);
  }
  CHECK(abi::poll(channel.pong).badge == 0);
}

// --- Moving --------------------------------------------------------------------------------------

namespace {

// Keeps a sum in an SSE register only.
void sse_server(Word) {
  asm volatile("pxor %%xmm7, %%xmm7" : : : "xmm7");
  abi::Message m =
      abi::nb_send_recv(channel.pong, abi::MessageInfo{}, {}, channel.endpoint, channel.reply);
  for (;;) {
    Word sum = 0;
    asm volatile("movq %1, %%xmm6; paddq %%xmm6, %%xmm7; movq %%xmm7, %0"
                 : "=r"(sum)
                 : "r"(m.words.mr0)
                 : "xmm6", "xmm7");
    m = abi::reply_recv(channel.endpoint, abi::MessageInfo(0, 0, 0, 1), {sum, 0, 0, 0},
                        channel.reply);
  }
}

// Calls the server again and again, and loads the registers of its core with something else.
void calling_client(Word which) {
  for (;;) {
    asm volatile("movq %0, %%xmm7" : : "r"(which) : "xmm7");
    (void)abi::call(channel.endpoint, abi::MessageInfo(0, 0, 0, 1), {1, 0, 0, 0});
    beats[which].fetch_add(1, std::memory_order_relaxed);
  }
}

std::atomic<bool> torn;

// A value in SSE registers that must never change, whatever core this is.
void guard_registers(Word which) {
  Word value = 0x1234'5678'9abc'def0 + which;
  asm volatile("movq %0, %%xmm3" : : "r"(value) : "xmm3");
  for (;;) {
    Word now = 0;
    asm volatile("movq %%xmm3, %0" : "=r"(now));
    if (now != value) torn = true;
    value = now;
    beats[which].fetch_add(1, std::memory_order_relaxed);
  }
}

}  // namespace

void a_passive_server_takes_its_registers_from_core_to_core() {
  if (one_core()) return;
  open_channel();
  Thread server(sse_server, 0, 250, false, 1);
  server.start();
  (void)abi::wait(channel.pong);
  CHECK_OK(abi::sched_context_unbind(server.sched_context()));
  beats[1] = beats[2] = 0;
  Thread a(calling_client, 1, 200, false, 1), b(calling_client, 2, 200, false, last_core());
  a.start();
  b.start();
  Word own = 0, last = 0;
  for (; own < 300; ++own) {
    last = abi::call(channel.endpoint, abi::MessageInfo(0, 0, 0, 1), {1, 0, 0, 0}).words.mr0;
  }
  CHECK(goes_on(1));
  CHECK(goes_on(2));
  CHECK_OK(abi::tcb_suspend(a.tcb()));
  CHECK_OK(abi::tcb_suspend(b.tcb()));
  const Word sum =
      abi::call(channel.endpoint, abi::MessageInfo(0, 0, 0, 1), {0, 0, 0, 0}).words.mr0;
  const Word calls = own + beats[1] + beats[2];
  CHECK(last < sum);
  // Each client may have been stopped between its call and the count of it.
  CHECK(sum >= calls && sum <= calls + 2);
}

void a_thread_moves_with_its_scheduling_context() {
  if (one_core()) return;
  torn = false;
  Thread thread(guard_registers, 1, 200, false, 1);
  Thread stranger(guard_registers, 2, 200, false, last_core());
  stranger.start();
  thread.start();
  for (Word i = 0; i < 200; ++i) {
    // Not to core 0: the root task would not let it run.
    place_on_core(thread.sched_context(), 1 + i % last_core());
    if (i % 20 == 0) CHECK(goes_on(1));
  }
  CHECK(goes_on(1));
  CHECK(!torn);
}

// --- Stopping ------------------------------------------------------------------------------------

namespace {

// rax and rbx count together, one instruction apart.
void count_in_registers(Word) {
  asm volatile(
      "xorl %%eax, %%eax\n"
      "xorl %%ebx, %%ebx\n"
      "1: incq %%rax\n"
      "incq %%rbx\n"
      "jmp 1b\n"
      :
      :
      : "rax", "rbx");
}

}  // namespace

void registers_of_a_thread_that_runs_elsewhere_are_true() {
  if (one_core()) return;
  Thread thread(count_in_registers, 0, 200, false, last_core());
  thread.start();
  Word last = 0, wrong = 0, advances = 0;
  const auto read_them = [&] {
    abi::UserRegisters r{};
    CHECK_OK(abi::tcb_read_registers(thread.tcb(), false, abi::kUserRegisterCount, r));
    wrong += r.rax < last || r.rax - r.rbx > 1;
    advances += r.rax > last;
    last = r.rax;
    return advances >= 50;
  };
  CHECK(eventually(read_them));
  CHECK(wrong == 0);
}

void a_system_call_is_not_lost_or_doubled_when_its_thread_is_held() {
  if (one_core()) return;
  open_channel();
  Thread server(adding_server, 0, 250, false, last_core());
  server.start();
  (void)abi::wait(channel.pong);
  beats[1] = 0;
  Thread client(calling_client, 1, 200, false, 1);
  client.start();
  for (Word i = 0; i < 500; ++i) {
    abi::UserRegisters r{};
    // Each stops both wherever they are; a lost or doubled call would leave them waiting for ever.
    CHECK_OK(abi::tcb_read_registers(client.tcb(), false, 2, r));
    CHECK_OK(abi::tcb_set_priority(server.tcb(), abi::kSlotInitTcb, 250 - i % 2));
  }
  CHECK(goes_on(1));
}

void a_suspended_thread_of_another_core_does_nothing_more() {
  if (one_core()) return;
  Thread thread(beat, 1, 200, false, last_core());
  thread.start();
  for (Word i = 0; i < 20; ++i) {
    CHECK(goes_on(1));
    CHECK_OK(abi::tcb_suspend(thread.tcb()));
    const Word then = beats[1];
    wait_us(200);
    CHECK(beats[1] == then);
    CHECK_OK(abi::tcb_resume(thread.tcb()));
  }
  CHECK(goes_on(1));
}

void a_deleted_thread_of_another_core_does_nothing_more() {
  if (one_core()) return;
  for (Word i = 0; i < 20; ++i) {
    {
      Thread thread(beat, 1, 200, false, 1 + i % last_core());
      thread.start();
      CHECK(goes_on(1));
    }
    const Word then = beats[1];
    wait_us(200);
    CHECK(beats[1] == then);
  }
}

void a_thread_that_loses_its_context_elsewhere_stops() {
  if (one_core()) return;
  Thread thread(beat, 1, 200, false, last_core());
  thread.start();
  CHECK(goes_on(1));
  CHECK_OK(abi::sched_context_unbind(thread.sched_context()));
  CHECK(stands_still(1));
  CHECK_OK(abi::sched_context_bind(thread.sched_context(), thread.tcb()));
  CHECK(goes_on(1));
  // The context's memory goes away while it is in use.
  const CPtr context = make(ObjectType::kSchedContext, abi::kMinSchedContextBits);
  place_on_core(context, last_core());
  CHECK_OK(abi::sched_context_unbind(thread.sched_context()));
  CHECK_OK(abi::sched_context_bind(context, thread.tcb()));
  CHECK(goes_on(1));
  remove(context);
  CHECK(stands_still(1));
}

// --- Memory --------------------------------------------------------------------------------------

namespace {

void write_to(Word address) {
  auto& word = *reinterpret_cast<std::atomic<Word>*>(address);
  for (;;) word.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

void an_unmapped_page_is_gone_on_every_core() {
  if (one_core()) return;
  const CPtr frame = make(ObjectType::kPage4K), watch = new_slot();
  CHECK_OK(abi::cnode_copy(slot_address(watch), slot_address(frame), abi::kAllRights));
  const Word there = unused_address(), here = unused_address();
  map_tables_at(abi::kSlotInitVSpace, there);
  map_tables_at(abi::kSlotInitVSpace, here);
  CHECK_OK(abi::page_map(watch, abi::kSlotInitVSpace, here, abi::kReadWrite));
  const auto& word = *reinterpret_cast<std::atomic<Word>*>(here);
  const CPtr reply = make(ObjectType::kReply);

  Thread thread(write_to, there, 200, false, last_core());
  CHECK_OK(abi::page_map(frame, abi::kSlotInitVSpace, there, abi::kReadWrite));
  thread.start();
  for (Word i = 0; i < 50; ++i) {
    const Word begin = word;
    CHECK(eventually([&] { return word != begin; }));
    CHECK_OK(abi::page_unmap(frame));
    const Word then = word;
    wait_us(50);
    CHECK(word == then);
    const abi::Message m = abi::recv(thread.fault_endpoint(), reply);
    CHECK(m.info.label() == static_cast<Word>(abi::FaultKind::kVm));
    CHECK(m.words.mr1 == there);
    CHECK_OK(abi::page_map(frame, abi::kSlotInitVSpace, there, abi::kReadWrite));
    abi::send(reply, abi::MessageInfo{});
  }
}

void an_address_space_can_go_away_while_another_core_uses_it() {
  if (one_core()) return;
  // A loop of two bytes, jumping to itself.
  const CPtr code = make(ObjectType::kPage4K), view = new_slot();
  CHECK_OK(abi::cnode_copy(slot_address(view), slot_address(code), abi::kAllRights));
  const Word here = unused_address();
  map_tables_at(abi::kSlotInitVSpace, here);
  CHECK_OK(abi::page_map(view, abi::kSlotInitVSpace, here, abi::kReadWrite));
  *reinterpret_cast<volatile unsigned short*>(here) = 0xfeeb;
  constexpr Word kThere = 0x400000;
  for (Word i = 0; i < 5; ++i) {
    const CPtr vspace = make(ObjectType::kPml4);
    CHECK_OK(abi::asid_pool_assign(abi::kSlotInitAsidPool, vspace));
    map_tables_at(vspace, kThere);
    CHECK_OK(abi::page_map(code, vspace, kThere, abi::kReadWrite));
    Thread thread(beat, 0, 200, false, last_core());
    CHECK_OK(abi::tcb_set_space(thread.tcb(), 0, abi::kSlotInitCNode, abi::CNodeData{0}, vspace));
    thread.registers().rip = kThere;
    thread.start();
    const auto used = [&] { return abi::sched_context_consumed(thread.sched_context()).value; };
    CHECK(eventually([&] { return used() != 0; }));
    // The thread holds a capability, too: revoking the object's memory is what ends it.
    CHECK_OK(abi::cnode_revoke(slot_address(vspace)));
    remove(vspace);
    // The other core may stand still for a while, where it is only a thread of a busy computer.
    CHECK(eventually([&] {
      (void)used();
      wait_us(500);
      return used() == 0;
    }));
    (void)abi::page_unmap(code);
  }
}

// --- Everything at once --------------------------------------------------------------------------

namespace {

// Three of them for each round: a caller and a server whose time comes and goes, and a beat.
constexpr Word kRounds = 400;

}  // namespace

void cores_work_against_each_other_without_harm() {
  if (one_core()) return;
  open_channel();
  torn = false;
  beats[1] = beats[2] = beats[3] = 0;
  Thread server(sse_server, 0, 250, false, 1);
  server.start();
  (void)abi::wait(channel.pong);
  CHECK_OK(abi::sched_context_unbind(server.sched_context()));
  Thread a(calling_client, 1, 200, false, 1), b(calling_client, 2, 201, false, last_core());
  Thread guard(guard_registers, 3, 202, false, last_core());
  Thread* const threads[] = {&a, &b, &guard};
  for (Thread* thread : threads) thread->start();
  Word random = 12345;
  for (Word round = 0; round < kRounds; ++round) {
    random = random * 6364136223846793005 + 1442695040888963407;
    Thread& target = *threads[(random >> 33) % 3];
    switch ((random >> 40) % 6) {
      case 0:
        CHECK_OK(abi::tcb_set_priority(target.tcb(), abi::kSlotInitTcb, 198 + (random >> 50) % 4));
        break;
      case 1:
        // Not a client: one that is stopped while it waits has lent its time for good.
        CHECK_OK(abi::tcb_suspend(guard.tcb()));
        CHECK_OK(abi::tcb_resume(guard.tcb()));
        break;
      case 2:
        place_on_core(target.sched_context(), 1 + (random >> 50) % last_core());
        break;
      case 3: {
        abi::UserRegisters r{};
        CHECK_OK(abi::tcb_read_registers(target.tcb(), false, abi::kUserRegisterCount, r));
        break;
      }
      case 4:
        (void)abi::sched_context_consumed(target.sched_context());
        break;
      default:
        (void)abi::call(channel.endpoint, abi::MessageInfo(0, 0, 0, 1), {1, 0, 0, 0});
        break;
    }
  }
  for (Word i = 0; i < 3; ++i) {
    CHECK_OK(abi::tcb_set_priority(threads[i]->tcb(), abi::kSlotInitTcb, 200));
  }
  CHECK(goes_on(1));
  CHECK(goes_on(2));
  CHECK(goes_on(3));
  CHECK(!torn);
}

}  // namespace lona::test
