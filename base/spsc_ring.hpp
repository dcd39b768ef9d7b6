// SPDX-License-Identifier: BSD-2-Clause
// A bounded queue between one producer and one consumer in memory that both can write. The other
// side may be hostile: each keeps a private copy of its own index, and an index of the peer that
// makes no sense is reported as `broken`, never used.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>

namespace lona::base {

enum class RingState : std::uint8_t { ok, full, empty, broken };

// The shared part. Indices count up for ever and are taken modulo the capacity.
template <typename T, std::uint32_t kCapacity>
  requires std::is_trivially_copyable_v<T>
struct SpscRing {
  static_assert(std::has_single_bit(kCapacity));

  alignas(64) std::atomic<std::uint32_t> written{0};
  alignas(64) std::atomic<std::uint32_t> taken{0};
  alignas(64) T slots[kCapacity];
};

template <typename T, std::uint32_t kCapacity>
class RingProducer {
 public:
  explicit RingProducer(SpscRing<T, kCapacity>& ring) : ring_(ring), written_(ring.written) {}

  [[nodiscard]] RingState put(const T& item) {
    const std::uint32_t used = written_ - ring_.taken.load(std::memory_order_acquire);
    if (used >= kCapacity) {
      return used == kCapacity ? RingState::full : RingState::broken;
    }
    ring_.slots[written_ % kCapacity] = item;
    ++written_;
    // Pairs with the consumer's acquire: the slot is visible before the index.
    ring_.written.store(written_, std::memory_order_release);
    return RingState::ok;
  }

 private:
  SpscRing<T, kCapacity>& ring_;
  std::uint32_t written_;
};

template <typename T, std::uint32_t kCapacity>
class RingConsumer {
 public:
  explicit RingConsumer(SpscRing<T, kCapacity>& ring) : ring_(ring), taken_(ring.taken) {}

  // A copy, because the producer could change the slot afterwards.
  [[nodiscard]] std::optional<T> take() {
    if (state() != RingState::ok) {
      return std::nullopt;
    }
    const T item = ring_.slots[taken_ % kCapacity];
    ++taken_;
    // Pairs with the producer's acquire: the slot is free only after the copy.
    ring_.taken.store(taken_, std::memory_order_release);
    return item;
  }

  [[nodiscard]] RingState state() const {
    const std::uint32_t waiting = ring_.written.load(std::memory_order_acquire) - taken_;
    if (waiting == 0) {
      return RingState::empty;
    }
    return waiting <= kCapacity ? RingState::ok : RingState::broken;
  }

 private:
  SpscRing<T, kCapacity>& ring_;
  std::uint32_t taken_;
};

}  // namespace lona::base
