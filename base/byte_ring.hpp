// SPDX-License-Identifier: BSD-2-Clause
// A stream of bytes from one producer to one consumer through memory that both can write. The other
// side may be hostile: each keeps a private copy of its own count, and a count of the peer that
// makes no sense is reported, never used.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace lona::base {

// The shared part. Counts go up for ever.
struct ByteRing {
  static constexpr std::uint64_t kSize = 16384;
  static constexpr std::uint64_t kCapacity = kSize - 192;

  alignas(64) std::atomic<std::uint64_t> written;
  alignas(64) std::atomic<std::uint64_t> taken;
  // Of the consumer, for who sends frames: how long they may be (0: it has not said yet), how much
  // memory one may take that it was not asked for, and what it has made room for.
  std::atomic<std::uint64_t> longest;
  std::atomic<std::uint64_t> spare;
  std::atomic<std::uint64_t> granted;
  // The producer waits for room: the consumer is to signal it.
  alignas(64) std::atomic<std::uint32_t> full;
  // What it asks room for; 0: nothing.
  std::atomic<std::uint64_t> wanted;
  alignas(64) std::uint8_t bytes[kCapacity];
};
static_assert(sizeof(ByteRing) == ByteRing::kSize);

class ByteRingProducer {
 public:
  explicit ByteRingProducer(ByteRing& ring) : ring_(ring) {}

  // How many of the bytes there was room for; nothing when the ring is broken.
  [[nodiscard]] std::optional<std::size_t> put(std::span<const std::uint8_t> bytes) {
    const std::uint64_t used = written_ - ring_.taken.load(std::memory_order_acquire);
    if (used > ByteRing::kCapacity) {
      return std::nullopt;
    }
    const std::size_t count = std::min<std::size_t>(bytes.size(), ByteRing::kCapacity - used);
    const std::size_t at = written_ % ByteRing::kCapacity;
    const std::size_t first = std::min<std::size_t>(count, ByteRing::kCapacity - at);
    std::memcpy(ring_.bytes + at, bytes.data(), first);
    if (first != count) std::memcpy(ring_.bytes, bytes.data() + first, count - first);
    written_ += count;
    // Pairs with the consumer's acquire: the bytes are visible before the count.
    ring_.written.store(written_, std::memory_order_release);
    return count;
  }
  [[nodiscard]] std::uint64_t longest() const {
    return ring_.longest.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t spare() const { return ring_.spare.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t granted() const {
    return ring_.granted.load(std::memory_order_relaxed);
  }
  void want(std::uint64_t what) { ring_.wanted.store(what, std::memory_order_relaxed); }
  void wait_for_room(bool waits) { ring_.full.store(waits, std::memory_order_release); }

 private:
  ByteRing& ring_;
  std::uint64_t written_ = 0;
};

class ByteRingConsumer {
 public:
  explicit ByteRingConsumer(ByteRing& ring) : ring_(ring) {}

  [[nodiscard]] bool empty() const {
    return ring_.written.load(std::memory_order_acquire) == taken_;
  }
  // Copies as much as there is and fits; nothing when the ring is broken.
  [[nodiscard]] std::optional<std::size_t> take(std::span<std::uint8_t> bytes) {
    const std::uint64_t waiting = ring_.written.load(std::memory_order_acquire) - taken_;
    if (waiting > ByteRing::kCapacity) {
      return std::nullopt;
    }
    const std::size_t count = std::min<std::size_t>(bytes.size(), waiting);
    const std::size_t at = taken_ % ByteRing::kCapacity;
    const std::size_t first = std::min<std::size_t>(count, ByteRing::kCapacity - at);
    std::memcpy(bytes.data(), ring_.bytes + at, first);
    if (first != count) std::memcpy(bytes.data() + first, ring_.bytes, count - first);
    taken_ += count;
    // Pairs with the producer's acquire: the bytes are free only after the copy.
    ring_.taken.store(taken_, std::memory_order_release);
    return count;
  }
  void say_longest(std::uint64_t bytes) { ring_.longest.store(bytes, std::memory_order_relaxed); }
  void say_spare(std::uint64_t bytes) { ring_.spare.store(bytes, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t wanted() const {
    return ring_.wanted.load(std::memory_order_relaxed);
  }
  void grant(std::uint64_t what) { ring_.granted.store(what, std::memory_order_relaxed); }
  // Was the producer waiting for room? It is to be signalled then.
  [[nodiscard]] bool producer_waits() {
    return ring_.full.load(std::memory_order_acquire) != 0 &&
           ring_.full.exchange(0, std::memory_order_acq_rel) != 0;
  }

 private:
  ByteRing& ring_;
  std::uint64_t taken_ = 0;
};

}  // namespace lona::base
