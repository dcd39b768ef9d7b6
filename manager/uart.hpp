// SPDX-License-Identifier: BSD-2-Clause
// Serial ports of a PC, through an I/O port cap.
#pragma once

#include <cstdint>
#include <string_view>

#include "abi/sel4/objects.hpp"

namespace lona::manager {

struct SerialPort {
  std::uint16_t base;
  std::uint8_t pin;  // of the I/O APIC
};
inline constexpr SerialPort kCom1{0x3f8, 4};
inline constexpr SerialPort kCom2{0x2f8, 3};
inline constexpr std::uint16_t kSerialPorts = 8;

class Uart {
 public:
  // `ports` covers the eight ports from `base`.
  void use(abi::CPtr ports, std::uint16_t base) {
    ports_ = ports;
    base_ = base;
  }
  [[nodiscard]] abi::CPtr ports() const { return ports_; }

  // Is there a UART? Its scratch register keeps what is written to it.
  [[nodiscard]] bool present() const;
  // 115200 8N1, queues on, interrupts off.
  void set_up() const;
  // Waits for room; gives up on a device that never has any.
  void write(std::string_view text) const;

 private:
  [[nodiscard]] std::uint8_t in(std::uint16_t offset) const;
  void out(std::uint16_t offset, std::uint8_t value) const;

  abi::CPtr ports_ = 0;
  std::uint16_t base_ = 0;
};

}  // namespace lona::manager
