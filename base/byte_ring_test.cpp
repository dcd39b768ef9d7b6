// SPDX-License-Identifier: BSD-2-Clause
#include "base/byte_ring.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace lona::base {
namespace {

TEST(ByteRing, KeepsEveryByteInOrderBetweenThreads) {
  auto ring = std::make_unique<ByteRing>();
  constexpr std::size_t kBytes = 1'000'000;
  std::thread producer([&] {
    ByteRingProducer out(*ring);
    std::mt19937 random(1);
    std::vector<std::uint8_t> piece;
    for (std::size_t done = 0; done < kBytes;) {
      piece.resize(std::min<std::size_t>(1 + random() % 5000, kBytes - done));
      for (std::size_t at = 0; at < piece.size(); ++at) {
        piece[at] = static_cast<std::uint8_t>((done + at) * 7);
      }
      done += *out.put(piece);
    }
  });
  ByteRingConsumer in(*ring);
  std::vector<std::uint8_t> piece(3000);
  std::size_t wrong = 0;
  for (std::size_t done = 0; done < kBytes;) {
    const std::size_t count = *in.take(piece);
    for (std::size_t at = 0; at < count; ++at) {
      wrong += piece[at] != static_cast<std::uint8_t>((done + at) * 7) ? 1 : 0;
    }
    done += count;
  }
  producer.join();
  EXPECT_EQ(wrong, 0U);
  EXPECT_TRUE(in.empty());
}

TEST(ByteRing, TakesNoMoreThanThereIsRoomFor) {
  auto ring = std::make_unique<ByteRing>();
  ByteRingProducer out(*ring);
  const std::vector<std::uint8_t> bytes(2 * ByteRing::kCapacity);
  EXPECT_EQ(out.put(bytes), ByteRing::kCapacity);
  EXPECT_EQ(out.put(bytes), 0U);
}

TEST(ByteRing, ACountThatMakesNoSenseIsNotUsed) {
  auto ring = std::make_unique<ByteRing>();
  ByteRingProducer out(*ring);
  ByteRingConsumer in(*ring);
  std::vector<std::uint8_t> bytes(100);
  EXPECT_TRUE(out.put(bytes).has_value());
  ring->taken = 101;
  EXPECT_FALSE(out.put(bytes).has_value());
  ring->written = ByteRing::kCapacity + 1;
  EXPECT_FALSE(in.take(bytes).has_value());
  ring->written = ~std::uint64_t{0};
  EXPECT_FALSE(in.take(bytes).has_value());
}

}  // namespace
}  // namespace lona::base
