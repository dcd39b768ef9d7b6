// SPDX-License-Identifier: BSD-2-Clause
#include "vm/platform/sel4/link.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace lona::vm::platform {
namespace {

std::string frame(char type, const std::string& payload) {
  return std::string{type, static_cast<char>(payload.size()),
                     static_cast<char>(payload.size() >> 8)} +
         payload;
}

std::vector<std::string> decode(FrameDecoder& decoder, const std::string& bytes) {
  std::vector<std::string> frames;
  for (const char byte : bytes) {
    if (decoder.take(static_cast<std::uint8_t>(byte))) {
      const auto payload = decoder.payload();
      frames.push_back(static_cast<char>(decoder.type()) +
                       std::string(payload.begin(), payload.end()));
    }
  }
  return frames;
}

TEST(FrameDecoder, FindsFramesAndEmptyOnes) {
  FrameDecoder decoder;
  const std::string big(kFramePayloadMax, 'x');
  const auto frames =
      decode(decoder, frame('I', "abc") + frame('E', "") + frame('I', big) + frame('C', ""));
  EXPECT_EQ(frames, (std::vector<std::string>{"Iabc", "E", "I" + big, "C"}));
  EXPECT_FALSE(decoder.broken());
}

TEST(FrameDecoder, SaysThatAFrameIsTooLong) {
  FrameDecoder decoder;
  EXPECT_TRUE(decode(decoder, std::string("I\x01\x10") + std::string(9000, 'x')).empty() ||
              decoder.broken());
  EXPECT_TRUE(decoder.broken());
}

TEST(FrameDecoder, SurvivesAnyBytes) {
  const auto decoder = std::make_unique<FrameDecoder>();
  std::mt19937 random(5);
  for (int step = 0; step < 200000; ++step) {
    if (decoder->take(static_cast<std::uint8_t>(random() % 3 == 0 ? random() : random() % 8))) {
      EXPECT_LE(decoder->payload().size(), kFramePayloadMax);
    }
  }
}

TEST(OutputWindow, HoldsBackWhatTheHostHasNoRoomFor) {
  OutputWindow window;
  std::size_t sent = 0;
  while (window.has_room(kFramePayloadMax)) {
    window.send(kFramePayloadMax);
    sent += kFramePayloadMax + OutputWindow::kFrameCost;
  }
  EXPECT_LE(sent, OutputWindow::kSize);
  EXPECT_GT(sent + kFramePayloadMax + OutputWindow::kFrameCost, OutputWindow::kSize);
  EXPECT_FALSE(window.take(sent + 1)) << "more than was sent";
  EXPECT_TRUE(window.take(sent));
  EXPECT_FALSE(window.take(1));
  std::size_t small = 0;
  for (; window.has_room(1); ++small) {
    window.send(1);
  }
  EXPECT_LE(small, OutputWindow::kSize / OutputWindow::kFrameCost);
}

TEST(InputQueue, GrantsWhatItCanHold) {
  const auto queue = std::make_unique<InputQueue>();
  EXPECT_EQ(queue->grant(), InputQueue::kSize);
  EXPECT_EQ(queue->grant(), 0U);
  const std::vector<std::uint8_t> bytes(InputQueue::kSize, 7);
  EXPECT_TRUE(queue->put(bytes));
  const std::uint8_t more[] = {1};
  EXPECT_FALSE(queue->put(more)) << "more than was granted";
  EXPECT_EQ(queue->grant(), 0U);
  std::vector<std::uint8_t> out(InputQueue::kSize / 2);
  EXPECT_EQ(queue->take(out), out.size());
  EXPECT_EQ(queue->grant(), InputQueue::kSize / 2);
}

TEST(InputQueue, KeepsOrderAroundItsEnd) {
  const auto queue = std::make_unique<InputQueue>();
  std::uint8_t in = 0;
  std::uint8_t expected = 0;
  for (int round = 0; round < 100; ++round) {
    std::vector<std::uint8_t> bytes(3001);
    for (auto& byte : bytes) {
      byte = in++;
    }
    ASSERT_TRUE(queue->put(bytes));
    std::vector<std::uint8_t> out(3001);
    ASSERT_EQ(queue->take(out), out.size());
    for (const auto byte : out) {
      ASSERT_EQ(byte, expected++);
    }
  }
  EXPECT_TRUE(queue->empty());
}

}  // namespace
}  // namespace lona::vm::platform
