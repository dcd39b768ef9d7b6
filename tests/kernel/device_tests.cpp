// SPDX-License-Identifier: BSD-2-Clause
// I/O ports and interrupts.
#include "tests/kernel/harness.hpp"
#include "tests/kernel/tests.hpp"

namespace lona::test {

void io_ports_are_issued_once() {
  const auto issue = [](Word first, Word last, CPtr slot) {
    return abi::io_port_control_issue(abi::kSlotIoPortControl, first, last, slot_address(slot));
  };
  const CPtr ports = new_slot(), other = new_slot();
  CHECK_OK(issue(0x70, 0x71, ports));
  CHECK(issue(0x71, 0x80, other) == Error::kRevokeFirst);
  CHECK(issue(0x60, 0x70, other) == Error::kRevokeFirst);
  CHECK(issue(0x90, 0x8f, other) == Error::kInvalidArgument);
  CHECK(issue(0x80, 0x80, ports) == Error::kDeleteFirst);

  CHECK_OK(abi::io_port_out8(ports, 0x70, 0x0a));
  CHECK(abi::io_port_in8(ports, 0x71).error == Error::kNone);
  CHECK(abi::io_port_in8(ports, 0x72).error == Error::kIllegalOperation);
  CHECK(abi::io_port_in8(ports, 0x6f).error == Error::kIllegalOperation);
  CHECK(abi::io_port_in16(ports, 0x71).error == Error::kIllegalOperation);
  CHECK(abi::io_port_in32(ports, 0x70).error == Error::kIllegalOperation);
  CHECK(abi::io_port_out8(ports, 0x10070, 0) == Error::kIllegalOperation);

  // Copies keep the ports taken; the last one frees them.
  CHECK_OK(abi::cnode_copy(slot_address(other), slot_address(ports), abi::kAllRights));
  remove(ports);
  CHECK(issue(0x70, 0x71, ports) == Error::kRevokeFirst);
  remove(other);
  CHECK_OK(issue(0x70, 0x71, ports));
  remove(ports);
}

namespace {

constexpr CPtr kControl = abi::kSlotIrqControl;

Error get_pin(CPtr slot, Word pin, Word vector, Word level = 0, Word polarity = 0,
              Word io_apic = 0) {
  return abi::irq_control_get_io_apic(kControl, slot_address(slot), {io_apic, pin, level, polarity},
                                      vector);
}

}  // namespace

void interrupt_lines_are_issued_once() {
  const CPtr handler = new_slot(), other = new_slot();
  CHECK(get_pin(handler, 5, abi::kVectorMax + 1) == Error::kRangeError);
  CHECK(get_pin(handler, 1000, 5) == Error::kRangeError);
  CHECK(get_pin(handler, 5, 5, 2) == Error::kRangeError);
  CHECK(get_pin(handler, 5, 5, 0, 2) == Error::kRangeError);
  CHECK(get_pin(handler, 5, 5, 0, 0, 100) == Error::kRangeError);
  CHECK_OK(get_pin(handler, 5, 5));
  CHECK(get_pin(other, 6, 5) == Error::kRevokeFirst);
  CHECK(abi::irq_control_get_msi(kControl, slot_address(other), 0, 0, 0, 0, 5) ==
        Error::kRevokeFirst);
  CHECK(abi::irq_control_get_msi(kControl, slot_address(other), 0, 32, 0, 0, 6) ==
        Error::kRangeError);
  remove(handler);
  CHECK_OK(get_pin(other, 6, 5));
  remove(other);
}

// The PIT's line is pin 2 on every PC with an I/O APIC.
void timer_interrupts_arrive() {
  constexpr Word kPin = 2, kVector = 2, kPitData = 0x40, kPitCommand = 0x43;
  const CPtr handler = new_slot(), notification = make(ObjectType::kNotification);
  const CPtr badged = new_slot(), pit = new_slot();
  CHECK_OK(abi::cnode_mint(slot_address(badged), slot_address(notification), abi::kAllRights, 8));
  CHECK_OK(get_pin(handler, kPin, kVector));
  CHECK_OK(abi::irq_handler_set_notification(handler, badged));
  CHECK_OK(abi::irq_handler_ack(handler));
  CHECK_OK(abi::io_port_control_issue(abi::kSlotIoPortControl, kPitData, kPitCommand,
                                      slot_address(pit)));
  const Word begin = read_tsc();
  constexpr unsigned kInterrupts = 10, kMilliseconds = 4;
  for (unsigned i = 0; i < kInterrupts; ++i) {
    constexpr Word kCount = 1193 * kMilliseconds;
    CHECK_OK(abi::io_port_out8(pit, kPitCommand, 0x30));  // one shot
    CHECK_OK(abi::io_port_out8(pit, kPitData, kCount & 0xff));
    CHECK_OK(abi::io_port_out8(pit, kPitData, kCount >> 8));
    // Nobody else runs: the kernel itself waits.
    CHECK(abi::wait(notification).badge == 8);
    CHECK_OK(abi::irq_handler_ack(handler));
  }
  const Word elapsed_ms = (read_tsc() - begin) / ticks_per_ms();
  CHECK(elapsed_ms >= kInterrupts * kMilliseconds * 9 / 10);
  remove(handler);
  remove(pit);
}

}  // namespace lona::test
