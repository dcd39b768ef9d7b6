// SPDX-License-Identifier: BSD-2-Clause
#include "manager/uart.hpp"

namespace lona::manager {

namespace {

// Registers of the 16550, by offset.
constexpr std::uint16_t kData = 0;
constexpr std::uint16_t kInterruptEnable = 1;
constexpr std::uint16_t kFifoControl = 2;
constexpr std::uint16_t kLineControl = 3;
constexpr std::uint16_t kModemControl = 4;
constexpr std::uint16_t kLineStatus = 5;
constexpr std::uint16_t kScratch = 7;

constexpr std::uint8_t kDivisorLatch = 0x80;
constexpr std::uint8_t kEightBits = 0x03;
constexpr std::uint8_t kFifosOnAndCleared = 0x07;
constexpr std::uint8_t kReadyAndInterruptLine = 0x0b;  // DTR, RTS, OUT2
constexpr std::uint8_t kTransmitterEmpty = 0x20;
constexpr unsigned kFifoSize = 16;

}  // namespace

std::uint8_t Uart::in(std::uint16_t offset) const {
  return static_cast<std::uint8_t>(
      abi::io_port_in8(ports_, static_cast<std::uint16_t>(base_ + offset)).value);
}

void Uart::out(std::uint16_t offset, std::uint8_t value) const {
  (void)abi::io_port_out8(ports_, static_cast<std::uint16_t>(base_ + offset), value);
}

bool Uart::present() const {
  for (const std::uint8_t pattern : {std::uint8_t{0x5a}, std::uint8_t{0xa5}}) {
    out(kScratch, pattern);
    if (in(kScratch) != pattern) {
      return false;
    }
  }
  return true;
}

void Uart::set_up() const {
  out(kInterruptEnable, 0);
  out(kLineControl, kDivisorLatch);
  out(kData, 1);
  out(kInterruptEnable, 0);
  out(kLineControl, kEightBits);
  out(kFifoControl, kFifosOnAndCleared);
  out(kModemControl, kReadyAndInterruptLine);
}

void Uart::write(std::string_view text) const {
  constexpr unsigned kPatience = 100000;
  while (!text.empty()) {
    unsigned tries = 0;
    while ((in(kLineStatus)&kTransmitterEmpty) == 0) {
      if (++tries == kPatience) {
        return;
      }
    }
    const auto burst = text.substr(0, kFifoSize);
    for (const char character : burst) {
      out(kData, static_cast<std::uint8_t>(character));
    }
    text.remove_prefix(burst.size());
  }
}

}  // namespace lona::manager
