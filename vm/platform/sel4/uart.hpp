// SPDX-License-Identifier: BSD-2-Clause
// A 16550 UART of this realm. Each access to a port is a system call, so they are counted:
//
// - Reading: one access for each byte. A 32-bit read of the first four ports takes a byte (port 0)
//   and then reads the interrupt identification (port 2), which tells whether one more waits. The
//   receive trigger level is one byte, so that it does.
// - Writing: one access for each byte, and one for every 16 to see that the queue is empty.
//
// The interrupt is an edge: the line must be seen low, with the interrupt acknowledged, before a
// sleep (see `rest`).
#pragma once

#include <cstdint>
#include <span>

#include "abi/lona/realm_start.hpp"
#include "abi/sel4/objects.hpp"

namespace lona::vm::platform {

class Uart {
 public:
  static constexpr unsigned kQueue = 16;

  // The manager has set the line up; this turns the receive interrupt on.
  void start(std::uint16_t base) {
    base_ = base;
    out(kFifoControl, 0x01);  // queues on, trigger at one byte
    out(kInterruptEnable, kReceiveInterrupt);
  }

  [[nodiscard]] bool has_input() const { return (status() & kDataReady) != 0; }

  // Calls `sink(byte)` for each byte that waits; true when there was one. The number is bounded so
  // that a sender who never stops does not hold the caller for ever.
  template <typename Sink>
  bool drain(Sink&& sink, unsigned most = 65536) const {
    bool more = has_input();
    const bool any = more;
    for (; more && most > 0; --most) {
      const auto ports =
          static_cast<std::uint32_t>(abi::io_port_in32(abi::kRealmSlotConsolePorts, base_).value);
      sink(static_cast<std::uint8_t>(ports));
      more = (ports >> 16 & kCauseMask) == kCauseReceived;
    }
    return any;
  }

  [[nodiscard]] bool can_write() const { return (status() & kQueueEmpty) != 0; }

  // At most kQueue bytes, after can_write().
  void write(std::span<const std::uint8_t> bytes) const {
    for (const std::uint8_t byte : bytes) {
      out(kData, byte);
    }
  }

  // While somebody sleeps until there is room for output.
  void want_room(bool wanted) const {
    out(kInterruptEnable, wanted ? kReceiveInterrupt | kRoomInterrupt : kReceiveInterrupt);
  }

 private:
  static constexpr std::uint16_t kData = 0;
  static constexpr std::uint16_t kInterruptEnable = 1;
  static constexpr std::uint16_t kFifoControl = 2;
  static constexpr std::uint16_t kLineStatus = 5;
  static constexpr std::uint8_t kReceiveInterrupt = 1;
  static constexpr std::uint8_t kRoomInterrupt = 2;
  static constexpr std::uint8_t kDataReady = 0x01;
  static constexpr std::uint8_t kQueueEmpty = 0x20;
  static constexpr std::uint32_t kCauseMask = 0x0f;
  static constexpr std::uint32_t kCauseReceived = 0x04;

  [[nodiscard]] std::uint8_t status() const {
    return static_cast<std::uint8_t>(
        abi::io_port_in8(abi::kRealmSlotConsolePorts, base_ + std::uint64_t{kLineStatus}).value);
  }
  void out(std::uint16_t offset, std::uint8_t value) const {
    (void)abi::io_port_out8(abi::kRealmSlotConsolePorts, base_ + std::uint64_t{offset}, value);
  }

  std::uint16_t base_ = 0;
};

}  // namespace lona::vm::platform
