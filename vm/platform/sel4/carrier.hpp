// SPDX-License-Identifier: BSD-2-Clause
// The device that carries the console's bytes: a virtio console, or a UART.
#pragma once

#include <algorithm>

#include "vm/platform/sel4/uart.hpp"
#include "vm/platform/sel4/virtio_console.hpp"

namespace lona::vm::platform {

class Carrier {
 public:
  // False: the device is not as expected.
  [[nodiscard]] bool start(const abi::StartBlock& block) {
    const auto port = static_cast<std::uint16_t>(block.console_port);
    virtio_ = block.console_device == abi::ConsoleDevice::kVirtio;
    if (virtio_) return virtio_console_.start(port, block.console_dma_physical);
    uart_.start(port);
    return true;
  }

  template <typename Sink>
  bool drain(Sink&& sink) {
    return virtio_ ? virtio_console_.drain(sink) : uart_.drain(sink);
  }
  [[nodiscard]] bool can_write() {
    return virtio_ ? virtio_console_.can_write() : uart_.can_write();
  }
  // Writes a first part of `bytes`, after can_write(); how much it was.
  std::size_t write(std::span<const std::uint8_t> bytes) {
    const auto burst =
        bytes.first(std::min<std::size_t>(bytes.size(), virtio_ ? kPage : Uart::kQueue));
    virtio_ ? virtio_console_.write(burst) : uart_.write(burst);
    return burst.size();
  }
  void want_room(bool wanted) {
    virtio_ ? virtio_console_.want_room(wanted) : uart_.want_room(wanted);
  }
  // To be called before the interrupt is acknowledged.
  void quiet() const {
    if (virtio_) virtio_console_.quiet();
  }

 private:
  static constexpr std::size_t kPage = VirtioConsole::kBuffer;

  bool virtio_ = false;
  Uart uart_;
  VirtioConsole virtio_console_;
};

}  // namespace lona::vm::platform
