// SPDX-License-Identifier: BSD-2-Clause
// Interrupts: a device's, and the kernel's own timer when a slice ends.
//
// The interrupted thread reads the counter in a loop of ten instructions. An interrupt comes
// anywhere in it, so a row is off by up to that many.
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

// --- Slices of a millisecond
// ----------------------------------------------------------------------

constexpr Word kSliceUs = 1000;
// More than a round of the loop below, less than any way through the kernel.
constexpr Word kInterrupted = 100;
constexpr unsigned kSpinners = 2;
volatile Word last_reading[kSpinners];
bool alone = false;

Word reading() {
  return static_cast<std::uint32_t>(test::read_tsc());
}

// Notices a gap in its own readings; the other thread's last one tells when the switch began.
void spin_in_turns(Word self) {
  const Word from = alone ? self : 1 - self;
  for (Word last = reading(); !arrival.full();) {
    const Word now = reading();
    if (static_cast<std::uint32_t>(now - last) > kInterrupted && last_reading[from] != 0) {
      arrival.add(between(last_reading[from], now, 0));
    }
    last = now;
    last_reading[self] = now;
  }
  report_done();
  park_worker();
}

// Instructions of a round of such a loop.
Word round_length() {
  volatile Word last = reading();
  Word shortest = ~Word{0};
  for (unsigned i = 0; i < 100; ++i) {
    const Word now = reading();
    if (now - last < shortest) shortest = now - last;
    last = now;
  }
  return shortest;
}

void set_slice(const Worker& worker) {
  const CPtr context = worker.sched_context();
  CHECK_OK(abi::sched_context_unbind(context));
  CHECK_OK(abi::sched_control_configure(test::info->sched_control.start, context, kSliceUs,
                                        kSliceUs, 0, 0, 0));
  CHECK_OK(abi::sched_context_bind(context, worker.tcb()));
}

void slice_row(std::string_view name, Space space) {
  last_reading[0] = 0;
  last_reading[1] = 0;
  Worker a(spin_in_turns, {}, 0), b(spin_in_turns, {.space = space}, 1);
  set_slice(a);
  set_slice(b);
  a.start();
  if (!alone) b.start();
  wait_for_workers();
  arrival.print(name, round_length());
}

void slice_rows() {
  alone = true;
  slice_row("preempt: budget expiry, alone at prio (tick + return)", Space::kSame);
  alone = false;
  slice_row("preempt: 1ms round-robin switch, same-AS", Space::kSame);
  slice_row("preempt: 1ms round-robin switch, cross-AS", Space::kOther);
}

}  // namespace

void interrupt_rows() {
  (void)done_notification();
  device_rows();
  slice_rows();
}

}  // namespace lona::bench
