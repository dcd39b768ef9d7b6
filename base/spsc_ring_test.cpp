// SPDX-License-Identifier: BSD-2-Clause
#include "base/spsc_ring.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace lona::base {
namespace {

TEST(SpscRing, FillsAndEmptiesInOrder) {
  SpscRing<int, 4> ring;
  RingProducer producer(ring);
  RingConsumer consumer(ring);
  EXPECT_EQ(consumer.take(), std::nullopt);
  for (int round = 0; round < 5; ++round) {
    for (int item = 0; item < 4; ++item) {
      EXPECT_EQ(producer.put(round * 4 + item), RingState::ok);
    }
    EXPECT_EQ(producer.put(99), RingState::full);
    for (int item = 0; item < 4; ++item) {
      EXPECT_EQ(consumer.take(), round * 4 + item);
    }
    EXPECT_EQ(consumer.state(), RingState::empty);
  }
}

TEST(SpscRing, RefusesAnIndexThatMakesNoSense) {
  SpscRing<int, 4> ring;
  RingProducer producer(ring);
  RingConsumer consumer(ring);
  ring.written = 1000;
  EXPECT_EQ(consumer.state(), RingState::broken);
  EXPECT_EQ(consumer.take(), std::nullopt);
  ring.taken = 7;
  EXPECT_EQ(producer.put(1), RingState::broken);
}

TEST(SpscRing, KeepsOrderBetweenThreads) {
  SpscRing<std::uint32_t, 64> ring;
  constexpr std::uint32_t kItems = 20000;
  std::thread writer([&ring] {
    RingProducer producer(ring);
    for (std::uint32_t item = 0; item < kItems;) {
      if (producer.put(item) == RingState::ok) {
        ++item;
      } else {
        std::this_thread::yield();
      }
    }
  });
  RingConsumer consumer(ring);
  for (std::uint32_t expected = 0; expected < kItems;) {
    if (const auto item = consumer.take()) {
      ASSERT_EQ(*item, expected++);
    } else {
      std::this_thread::yield();
    }
  }
  writer.join();
}

}  // namespace
}  // namespace lona::base
