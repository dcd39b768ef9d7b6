// SPDX-License-Identifier: BSD-2-Clause
#include "vm/platform/sel4/virtio_console.hpp"

#include <bit>
#include <cstring>

namespace lona::vm::platform {

namespace {

// Device status (virtio 1.2, section 2.1).
constexpr std::uint8_t kReset = 0;
constexpr std::uint8_t kAcknowledge = 1;
constexpr std::uint8_t kDriver = 2;
constexpr std::uint8_t kDriverOk = 4;

}  // namespace

bool VirtioConsole::set_up_queue(Virtqueue& queue, std::uint16_t number) {
  (void)abi::io_port_out16(abi::kRealmSlotConsolePorts, base_ + std::uint64_t{kQueueSelect},
                           number);
  const auto size = static_cast<std::uint16_t>(
      abi::io_port_in16(abi::kRealmSlotConsolePorts, base_ + std::uint64_t{kQueueSize}).value);
  if (size < kReceiveBuffers || size > Virtqueue::kMaxSize || !std::has_single_bit(size)) {
    return false;
  }
  std::byte* place = memory() + number * Virtqueue::kBytes;
  queue.place(place, size);
  const std::uint64_t page = physical(place) / abi::kSmallPage;
  if (page >> 32 != 0) return false;  // the legacy interface has 32 bits for it
  (void)abi::io_port_out32(abi::kRealmSlotConsolePorts, base_ + std::uint64_t{kQueueAddress}, page);
  return true;
}

bool VirtioConsole::start(std::uint16_t base, std::uint64_t dma_physical) {
  base_ = base;
  dma_physical_ = dma_physical;
  set_status(kReset);
  set_status(kAcknowledge);
  set_status(kAcknowledge | kDriver);
  (void)abi::io_port_out32(abi::kRealmSlotConsolePorts, base_ + std::uint64_t{kFeaturesWanted}, 0);
  if (!set_up_queue(receive_, kReceiveQueue) || !set_up_queue(transmit_, kTransmitQueue)) {
    return false;
  }
  for (std::uint32_t i = 0; i < kReceiveBuffers; ++i) {
    const auto index = static_cast<std::uint16_t>(i);
    receive_.describe(index, physical(receive_buffer(i)), kBuffer, true);
    receive_.offer(index);
  }
  transmit_.want_interrupts(false);
  free_ = (1U << kTransmitBuffers) - 1;
  set_status(kAcknowledge | kDriver | kDriverOk);
  notify(kReceiveQueue);
  return true;
}

void VirtioConsole::write(std::span<const std::uint8_t> bytes) {
  const auto index = static_cast<std::uint16_t>(std::countr_zero(free_));
  free_ &= free_ - 1;
  std::memcpy(transmit_buffer(index), bytes.data(), bytes.size());
  transmit_.describe(index, physical(transmit_buffer(index)),
                     static_cast<std::uint32_t>(bytes.size()), false);
  transmit_.offer(index);
  notify(kTransmitQueue);
}

}  // namespace lona::vm::platform
