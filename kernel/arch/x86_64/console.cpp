// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/arch/x86_64/console.hpp"

#include "kernel/arch/x86_64/cpu.hpp"

namespace lona::kernel {

namespace {

// 16550 registers, relative to the first serial port of a PC.
constexpr std::uint16_t kPort = 0x3f8;
constexpr std::uint16_t kData = 0, kInterruptEnable = 1, kFifoControl = 2, kLineControl = 3,
                        kModemControl = 4, kLineStatus = 5;
constexpr std::uint8_t kDivisorAccess = 0x80, kEightBits = 0x03, kTransmitterEmpty = 0x20;

// A missing or stuck port must not hang the kernel.
constexpr unsigned kMaxPolls = 1 << 20;

}  // namespace

void console_init() {
  cpu::out8(kPort + kInterruptEnable, 0);
  cpu::out8(kPort + kLineControl, kDivisorAccess);
  cpu::out8(kPort + kData, 1);  // 115,200 baud
  cpu::out8(kPort + kInterruptEnable, 0);
  cpu::out8(kPort + kLineControl, kEightBits);
  cpu::out8(kPort + kFifoControl, 0xc7);
  cpu::out8(kPort + kModemControl, 0x0b);
}

void console_put(char character) {
  if (character == '\n') console_put('\r');
  for (unsigned i = 0; i < kMaxPolls; ++i) {
    if ((cpu::in8(kPort + kLineStatus) & kTransmitterEmpty) != 0) break;
    cpu::pause();
  }
  cpu::out8(kPort + kData, static_cast<std::uint8_t>(character));
}

void console_write(std::string_view text) {
  for (const char character : text) console_put(character);
}

}  // namespace lona::kernel
