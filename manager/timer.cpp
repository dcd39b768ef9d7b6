// SPDX-License-Identifier: BSD-2-Clause
#include "manager/timer.hpp"

namespace lona::manager {

namespace {

constexpr std::uint16_t kFirstPort = 0x40;
constexpr std::uint16_t kLastPort = 0x43;
constexpr std::uint16_t kChannel0 = 0x40;
constexpr std::uint16_t kCommand = 0x43;
constexpr std::uint8_t kOneShot = 0x30;      // channel 0, both bytes, mode 0
constexpr std::uint8_t kLatchStatus = 0xe2;  // read-back: status of channel 0
constexpr std::uint8_t kOutput = 0x80;       // of the status: the count has run out

// PCs wire the timer to pin 2 of the first I/O APIC; ISA interrupts are edges, active high.
constexpr abi::IoApicPin kPin{.io_apic = 0, .pin = 2, .level = 0, .polarity = 0};
constexpr std::uint64_t kVector = 2;

}  // namespace

base::Expected<void, MemoryError> Timer::start(Memory& memory, abi::CPtr lock) {
  lock_.use(lock);
  ports_ = TRY(memory.take_slot());
  irq_ = TRY(memory.take_slot());
  notification_ = TRY(memory.make(abi::ObjectType::kNotification));
  const auto good = [](abi::Error error) { return error == abi::Error::kNone; };
  if (!good(abi::io_port_control_issue(abi::kSlotIoPortControl, kFirstPort, kLastPort,
                                       memory.address_of(ports_))) ||
      !good(abi::irq_control_get_io_apic(abi::kSlotIrqControl, memory.address_of(irq_), kPin,
                                         kVector)) ||
      !good(abi::irq_handler_set_notification(irq_, notification_.cap)) ||
      // Firmware may have left the timer running: what came before there was a notification would
      // stay unacknowledged, and no other would ever come.
      !good(abi::irq_handler_ack(irq_))) {
    return base::fail(MemoryError::refused);
  }
  return {};
}

std::uint64_t Timer::measure_tsc() const {
  constexpr std::uint16_t kCount = 11932;  // 10 ms
  (void)abi::io_port_out8(ports_, kCommand, kOneShot);
  (void)abi::io_port_out8(ports_, kChannel0, kCount & 0xff);
  (void)abi::io_port_out8(ports_, kChannel0, kCount >> 8);
  const std::uint64_t start = now_tick();
  std::uint64_t status = 0;
  do {
    (void)abi::io_port_out8(ports_, kCommand, kLatchStatus);
    status = abi::io_port_in8(ports_, kChannel0).value;
  } while ((status & kOutput) == 0);
  return (now_tick() - start) * kPitHertz / kCount;
}

void Timer::leave(std::size_t who) {
  const Guard guard(lock_);
  deadlines_.clear(who);
  signals_[who] = 0;
}

void Timer::set_deadline(std::size_t who, std::uint64_t tick) {
  const Guard guard(lock_);
  deadlines_.set(who, tick);
  serve_due();
}

void Timer::run() {
  while (true) {
    (void)abi::wait(notification_.cap);
    // First: the edge of a next shot would be lost while this one is unacknowledged.
    (void)abi::irq_handler_ack(irq_);
    const Guard guard(lock_);
    armed_for_ = abi::kNoDeadlineTick;
    serve_due();
  }
}

void Timer::serve_due() {
  deadlines_.take_due(now_tick(), [&](std::size_t who) {
    if (signals_[who] != 0) {
      abi::signal(signals_[who]);
    }
  });
  // A shot that comes too early is only a wasted interrupt, so a later deadline does not move it.
  const std::uint64_t next = deadlines_.earliest();
  if (next < armed_for_) {
    arm(next);
  }
}

void Timer::arm(std::uint64_t tick) {
  const std::uint64_t now = now_tick();
  const std::uint16_t count = pit_count(tick > now ? tick - now : 0, tsc_hertz_);
  (void)abi::io_port_out8(ports_, kCommand, kOneShot);
  (void)abi::io_port_out8(ports_, kChannel0, count & 0xff);
  (void)abi::io_port_out8(ports_, kChannel0, count >> 8);
  armed_for_ = tick;
}

}  // namespace lona::manager
