// SPDX-License-Identifier: BSD-2-Clause
// Interrupts: a device's, and the kernel's own timer when a slice ends.
//
// The interrupted thread reads the counter in a loop of ten instructions. An interrupt comes
// anywhere in it, so what is said of a single one is off by up to nine; of a switch there and back
// the mean is exact.
#include "bench/kernel/rows.hpp"
#include "bench/kernel/worker.hpp"

namespace lona::bench {

namespace {

using test::make;
using test::new_slot;
using test::slot_address;

constexpr unsigned kInterrupts = 16;
constexpr Word kPin = 2, kVector = 2, kPitData = 0x40, kPitCommand = 0x43;
CPtr irq = 0, pit = 0, notification = 0;
Op spin_op;
Row arrival, acknowledge;

void spin(Word) {
  timed_loop(&spin_op);
}

void driver(Word) {
  for (unsigned i = 0; i < kInterrupts; ++i) {
    constexpr Word kCount = 1193;  // a millisecond
    (void)abi::io_port_out8(pit, kPitCommand, 0x30);
    (void)abi::io_port_out8(pit, kPitData, kCount & 0xff);
    (void)abi::io_port_out8(pit, kPitData, kCount >> 8);
    Op wait = syscall(Syscall::kWait, notification);
    timed(&wait);
    arrival.add(between(spin_op.before, wait.after, kLoopInstructions / 2));
    Op ack;
    ack = syscall(Syscall::kCall, irq, MessageInfo(static_cast<Word>(Label::kIrqAck), 0, 0, 0));
    acknowledge.run(ack);
  }
  report_done();
  park_worker();
}

void device_rows() {
  irq = new_slot();
  pit = new_slot();
  notification = make(ObjectType::kNotification);
  CHECK_OK(abi::irq_control_get_io_apic(abi::kSlotIrqControl, slot_address(irq), {0, kPin, 0, 0},
                                        kVector));
  CHECK_OK(abi::irq_handler_set_notification(irq, notification));
  CHECK_OK(abi::irq_handler_ack(irq));
  CHECK_OK(abi::io_port_control_issue(abi::kSlotIoPortControl, kPitData, kPitCommand,
                                      slot_address(pit)));
  Worker spinning(spin, {.priority = 190}), driving(driver, {.priority = 210});
  spinning.start();
  driving.start();
  wait_for_workers();
  arrival.print("irq: PIT via IOAPIC, interrupt -> higher-prio user waiter");
  acknowledge.print("irq: IRQHandler_Ack");
}

// --- Slices of a millisecond ----------------------------------------------------------------------

constexpr Word kSliceUs = 1000;
volatile unsigned turns = 0;
volatile Word last_reading = 0, total = 0;
volatile Word turn_of = 2;

void spin_alone(Word) {
  Row row;
  Word last = static_cast<std::uint32_t>(test::read_tsc());
  while (!row.full()) {
    const Word now = static_cast<std::uint32_t>(test::read_tsc());
    const Word gap = static_cast<std::uint32_t>(now - last);
    last = now;
    if (gap > 100) row.add(gap);
  }
  arrival = row;
  report_done();
  park_worker();
}

constexpr unsigned kTurns = 64;

// Two of these: the one that finds that the other had its turn adds the gap.
void spin_in_turns(Word self) {
  for (;;) {
    const Word now = static_cast<std::uint32_t>(test::read_tsc());
    if (turn_of != self) {
      if (turn_of < 2) {
        total = total + static_cast<std::uint32_t>(now - last_reading);
        turns = turns + 1;
      }
      turn_of = self;
      if (turns == kTurns) {
        report_done();
        park_worker();
      }
    }
    last_reading = now;
  }
}

// Instructions of a round of the loops above, found by running them for a while undisturbed.
Word shortest_gap() {
  Word shortest = ~Word{0};
  Word last = static_cast<std::uint32_t>(test::read_tsc());
  for (unsigned i = 0; i < 100; ++i) {
    const Word now = static_cast<std::uint32_t>(test::read_tsc());
    const Word gap = static_cast<std::uint32_t>(now - last);
    last = now;
    if (gap < shortest) shortest = gap;
  }
  return shortest;
}

void set_slice(CPtr context) {
  CHECK_OK(abi::sched_control_configure(test::info->sched_control.start, context, kSliceUs, kSliceUs,
                                        0, 0, 0));
}

void slice_rows() {
  {
    Worker only(spin_alone, {});
    set_slice(only.sched_context());
    only.start();
    wait_for_workers();
  }
  arrival.print("preempt: budget expiry, alone at prio (tick + return)");
  for (const Space space : {Space::kSame, Space::kOther}) {
    Worker a(spin_in_turns, {}, 0), b(spin_in_turns, {.space = space}, 1);
    set_slice(a.sched_context());
    set_slice(b.sched_context());
    turns = 0;
    total = 0;
    turn_of = 2;
    a.start();
    b.start();
    wait_for_workers();
    print_row("preempt: 1ms round-robin switch, ",
              space == Space::kSame ? "same-AS" : "cross-AS", "",
              total / kTurns - shortest_gap());
  }
}

}  // namespace

void interrupt_rows() {
  (void)done_notification();
  device_rows();
  slice_rows();
}

}  // namespace lona::bench
