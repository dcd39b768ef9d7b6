// SPDX-License-Identifier: BSD-2-Clause
// A virtio console of this realm, legacy interface (virtio 1.2, sections 2.7, 4.1.4.8 and 5.3;
// one port, no features). A burst of up to a page costs one system call, its notification.
//
// Its memory (abi::kConsoleDma): two queues of two pages, then pages for what comes in and what
// goes out. The device's indices and lengths are checked before they are used.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "abi/lona/realm_start.hpp"
#include "abi/sel4/objects.hpp"

namespace lona::vm::platform {

// A split virtqueue of at most kMaxSize entries in two pages: descriptors and the driver's ring in
// the first, the device's ring in the second.
class Virtqueue {
 public:
  static constexpr unsigned kMaxSize = 128;
  static constexpr std::size_t kBytes = 2 * abi::kSmallPage;

  void place(std::byte* memory, std::uint16_t size) {
    memory_ = memory;
    size_ = size;
  }

  // Descriptor `index` describes this buffer from now on.
  void describe(std::uint16_t index, std::uint64_t physical, std::uint32_t bytes, bool to_driver) {
    Descriptor& d = reinterpret_cast<Descriptor*>(memory_)[index];
    d = {physical, bytes, static_cast<std::uint16_t>(to_driver ? 2 : 0), 0};
  }
  // Gives buffer `index` to the device, which learns of it at the next notification at the latest.
  void offer(std::uint16_t index) {
    volatile std::uint16_t* ring = offered();
    ring[kRing + offered_ % size_] = index;
    std::atomic_thread_fence(std::memory_order_release);
    ring[kIndex] = ++offered_;
  }
  void want_interrupts(bool wanted) { offered()[kFlags] = wanted ? 0 : 1; }

  struct Used {
    std::uint32_t index;
    std::uint32_t bytes;
  };
  [[nodiscard]] bool has_used() const { return returned()[kIndex] != taken_; }
  // After has_used(): a buffer the device is done with.
  Used take_used() {
    std::atomic_thread_fence(std::memory_order_acquire);
    const volatile auto* ring =
        reinterpret_cast<volatile std::uint32_t*>(memory_ + abi::kSmallPage);
    const std::size_t at = 1 + 2 * (taken_++ % size_);
    return {ring[at], ring[at + 1]};
  }

 private:
  struct Descriptor {
    std::uint64_t address;
    std::uint32_t bytes;
    std::uint16_t flags;
    std::uint16_t next;
  };
  static_assert(sizeof(Descriptor) == 16);
  // Words of both rings.
  static constexpr std::size_t kFlags = 0;
  static constexpr std::size_t kIndex = 1;
  static constexpr std::size_t kRing = 2;

  [[nodiscard]] volatile std::uint16_t* offered() const {
    return reinterpret_cast<volatile std::uint16_t*>(memory_ + sizeof(Descriptor) * size_);
  }
  [[nodiscard]] const volatile std::uint16_t* returned() const {
    return reinterpret_cast<const volatile std::uint16_t*>(memory_ + abi::kSmallPage);
  }

  std::byte* memory_ = nullptr;
  std::uint16_t size_ = 1;
  std::uint16_t offered_ = 0;
  std::uint16_t taken_ = 0;
};

class VirtioConsole {
 public:
  static constexpr std::size_t kBuffer = abi::kSmallPage;

  // False: the device is not as expected, and stays silent.
  [[nodiscard]] bool start(std::uint16_t base, std::uint64_t dma_physical);

  // Calls `sink(byte)` for each byte that waits; true when there was one.
  template <typename Sink>
  bool drain(Sink&& sink) {
    bool any = false;
    for (unsigned turn = 0; turn < kMostBuffers && receive_.has_used(); ++turn) {
      const Virtqueue::Used used = receive_.take_used();
      if (used.index >= kReceiveBuffers) continue;
      const std::byte* from = receive_buffer(used.index);
      const std::size_t count = used.bytes < kBuffer ? used.bytes : kBuffer;
      for (std::size_t at = 0; at < count; ++at) sink(static_cast<std::uint8_t>(from[at]));
      receive_.offer(static_cast<std::uint16_t>(used.index));
      any = true;
    }
    if (any) notify(kReceiveQueue);
    return any;
  }

  [[nodiscard]] bool can_write() {
    while (transmit_.has_used()) {
      const Virtqueue::Used used = transmit_.take_used();
      if (used.index < kTransmitBuffers) free_ |= 1U << used.index;
    }
    return free_ != 0;
  }
  // At most kBuffer bytes, after can_write().
  void write(std::span<const std::uint8_t> bytes);
  // While somebody sleeps until there is room for output.
  void want_room(bool wanted) { transmit_.want_interrupts(wanted); }

  // The interrupt line goes low; to be done before the interrupt is acknowledged.
  void quiet() const {
    (void)abi::io_port_in8(abi::kRealmSlotConsolePorts, base_ + std::uint64_t{kInterruptStatus});
  }

 private:
  // Registers of the legacy interface.
  static constexpr std::uint16_t kFeaturesWanted = 4;
  static constexpr std::uint16_t kQueueAddress = 8;
  static constexpr std::uint16_t kQueueSize = 12;
  static constexpr std::uint16_t kQueueSelect = 14;
  static constexpr std::uint16_t kQueueNotify = 16;
  static constexpr std::uint16_t kStatus = 18;
  static constexpr std::uint16_t kInterruptStatus = 19;

  static constexpr std::uint16_t kReceiveQueue = 0;
  static constexpr std::uint16_t kTransmitQueue = 1;
  static constexpr std::uint32_t kReceiveBuffers = 8;
  static constexpr std::uint32_t kTransmitBuffers = 4;
  static constexpr unsigned kMostBuffers = 64;  // in one go, so that a fast sender holds nobody up
  static constexpr std::size_t kBuffers = 2 * Virtqueue::kBytes;
  static_assert(kBuffers + (kReceiveBuffers + kTransmitBuffers) * kBuffer <= abi::kConsoleDma.size);

  [[nodiscard]] static std::byte* memory() {
    return reinterpret_cast<std::byte*>(abi::kConsoleDma.start);
  }
  [[nodiscard]] static std::byte* receive_buffer(std::uint32_t index) {
    return memory() + kBuffers + index * kBuffer;
  }
  [[nodiscard]] static std::byte* transmit_buffer(std::uint32_t index) {
    return receive_buffer(kReceiveBuffers + index);
  }
  [[nodiscard]] bool set_up_queue(Virtqueue& queue, std::uint16_t number);
  [[nodiscard]] std::uint64_t physical(const std::byte* at) const {
    return dma_physical_ + static_cast<std::uint64_t>(at - memory());
  }
  void notify(std::uint16_t queue) const {
    (void)abi::io_port_out16(abi::kRealmSlotConsolePorts, base_ + std::uint64_t{kQueueNotify},
                             queue);
  }
  void set_status(std::uint8_t status) const {
    (void)abi::io_port_out8(abi::kRealmSlotConsolePorts, base_ + std::uint64_t{kStatus}, status);
  }

  Virtqueue receive_;
  Virtqueue transmit_;
  std::uint64_t dma_physical_ = 0;
  std::uint32_t free_ = 0;  // transmit buffers that are ours, a bit each
  std::uint16_t base_ = 0;
};

}  // namespace lona::vm::platform
