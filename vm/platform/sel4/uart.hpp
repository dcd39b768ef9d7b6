// SPDX-License-Identifier: BSD-2-Clause
// A 16550 UART of this realm. Each access to a port is a system call, so they are counted:
//
// - Reading: the receive queue raises its interrupt at 14 bytes, or some character times after the
//   last one. A 32-bit read of ports 2 to 5 gives the cause of the interrupt and the line status
//   at once: when the cause is the queue, 14 bytes can be read without another look.
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
    out(kFifoControl, 0xc1);  // queues on, receive trigger at kTrigger bytes
    out(kInterruptEnable, kReceiveInterrupt);
  }

  // Calls `sink(byte)` for each byte that waits; true when there was one. The number is bounded so
  // that a sender who never stops does not hold the caller for ever.
  template <typename Sink>
  bool drain(Sink&& sink, unsigned most = 65536) const {
    bool any = false;
    while (most > 0) {
      const auto ports =
          abi::io_port_in32(abi::kRealmSlotConsolePorts, base_ + std::uint64_t{kInterruptCause})
              .value;
      const unsigned ready = (ports & kCauseMask) == kCauseReceived ? kTrigger
                             : (ports >> 24 & kDataReady) != 0      ? 1
                                                                    : 0;
      if (ready == 0) {
        break;
      }
      any = true;
      for (unsigned at = 0; at < ready; ++at) {
        sink(in(kData));
      }
      most -= ready < most ? ready : most;
    }
    return any;
  }

  [[nodiscard]] bool can_write() const { return (in(kLineStatus)&kQueueEmpty) != 0; }

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
  static constexpr std::uint16_t kInterruptCause = 2;  // when read
  static constexpr std::uint16_t kFifoControl = 2;     // when written
  static constexpr std::uint16_t kLineStatus = 5;
  static constexpr std::uint8_t kReceiveInterrupt = 1;
  static constexpr std::uint8_t kRoomInterrupt = 2;
  static constexpr unsigned kTrigger = 14;
  static constexpr std::uint8_t kDataReady = 0x01;
  static constexpr std::uint8_t kQueueEmpty = 0x20;
  static constexpr std::uint64_t kCauseMask = 0x0f;
  static constexpr std::uint64_t kCauseReceived = 0x04;

  [[nodiscard]] std::uint8_t in(std::uint16_t offset) const {
    return static_cast<std::uint8_t>(
        abi::io_port_in8(abi::kRealmSlotConsolePorts, base_ + std::uint64_t{offset}).value);
  }
  void out(std::uint16_t offset, std::uint8_t value) const {
    (void)abi::io_port_out8(abi::kRealmSlotConsolePorts, base_ + std::uint64_t{offset}, value);
  }

  std::uint16_t base_ = 0;
};

}  // namespace lona::vm::platform
