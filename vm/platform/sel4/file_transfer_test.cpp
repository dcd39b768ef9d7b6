// SPDX-License-Identifier: BSD-2-Clause
#include "vm/platform/sel4/file_transfer.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace lona::vm::platform {
namespace {

using State = FileTransfer::State;
using Bytes = std::vector<std::uint8_t>;

Bytes number(std::uint32_t n) {
  return {static_cast<std::uint8_t>(n), static_cast<std::uint8_t>(n >> 8),
          static_cast<std::uint8_t>(n >> 16), static_cast<std::uint8_t>(n >> 24)};
}

Bytes head(std::uint32_t request, std::uint8_t answer, std::uint32_t size) {
  Bytes payload = number(request);
  payload.push_back(answer);
  for (const std::uint8_t byte : number(size)) payload.push_back(byte);
  return payload;
}

Bytes data(std::uint32_t request, std::size_t size, std::uint8_t value = 7) {
  Bytes payload = number(request);
  payload.insert(payload.end(), size, value);
  return payload;
}

TEST(FileTransfer, a_large_file_comes_within_its_credit) {
  FileTransfer file;
  const std::uint32_t n = file.ask();
  constexpr std::uint32_t kSize = 300'001;
  file.take_head(head(n, 0, kSize));
  ASSERT_EQ(file.state(), State::kWantsRoom);
  Bytes room(file.size());
  file.give_room(room.data());
  std::size_t sent = 0, credit = 0;
  while (file.state() == State::kReceiving) {
    credit += file.grant();
    ASSERT_LE(credit, FileTransfer::kWindow);
    const std::size_t piece = std::min<std::size_t>(credit, 4092);
    ASSERT_NE(piece, 0u) << "it waits for credit that never comes";
    file.take_data(data(n, piece, static_cast<std::uint8_t>(sent)));
    ASSERT_EQ(room[sent], static_cast<std::uint8_t>(sent));
    sent += piece;
    credit -= piece;
  }
  EXPECT_EQ(file.state(), State::kDone);
  EXPECT_EQ(file.error(), FileError::kNone);
  EXPECT_EQ(sent, kSize);
}

TEST(FileTransfer, an_empty_file_is_there_at_once) {
  FileTransfer file;
  file.take_head(head(file.ask(), 0, 0));
  EXPECT_EQ(file.state(), State::kDone);
  EXPECT_EQ(file.error(), FileError::kNone);
}

TEST(FileTransfer, refusals_are_told) {
  FileTransfer file;
  file.take_head(head(file.ask(), 1, 0));
  EXPECT_EQ(file.error(), FileError::kMissing);
  file.take_head(head(file.ask(), 2, 0));
  EXPECT_EQ(file.error(), FileError::kOutside);
  file.take_head(head(file.ask(), 0, kMostFileBytes + 1));
  EXPECT_EQ(file.error(), FileError::kTooLarge);
}

TEST(FileTransfer, wrong_answers_fail_the_request) {
  FileTransfer file;
  file.take_head(head(file.ask(), 77, 0));
  EXPECT_EQ(file.error(), FileError::kBroken);
  std::uint32_t n = file.ask();
  file.take_head(data(n, 1));
  EXPECT_EQ(file.error(), FileError::kBroken);
  n = file.ask();
  file.take_data(data(n, 100));
  EXPECT_EQ(file.error(), FileError::kBroken) << "data before the head";
  n = file.ask();
  file.take_data({});
  EXPECT_EQ(file.error(), FileError::kBroken) << "without a number";
}

TEST(FileTransfer, more_than_the_credit_is_refused) {
  FileTransfer file;
  const std::uint32_t n = file.ask();
  file.take_head(head(n, 0, 100));
  Bytes room(100);
  file.give_room(room.data());
  EXPECT_EQ(file.grant(), 100u);
  file.take_data(data(n, 101));
  EXPECT_EQ(file.error(), FileError::kBroken);
  EXPECT_EQ(file.room(), room.data()) << "its owner frees it";
}

TEST(FileTransfer, answers_to_an_earlier_request_are_dropped) {
  FileTransfer file;
  const std::uint32_t old = file.ask();
  file.drop();
  file.take_head(head(old, 0, 10));
  EXPECT_EQ(file.state(), State::kIdle);
  file.ask();
  file.take_head(head(old, 0, 10));
  file.take_data(data(old, 10));
  EXPECT_EQ(file.state(), State::kAsked);
}

TEST(FileTransfer, survives_anything) {
  std::mt19937 random(11);
  FileTransfer file;
  Bytes room(64);
  for (int step = 0; step < 100'000; ++step) {
    if (random() % 16 == 0) file.ask();
    Bytes payload = random() % 4 == 0 ? head(file.number(), random() % 2, random() % 65)
                                      : data(file.number() + random() % 2, random() % 20);
    if (random() % 8 == 0) payload.resize(random() % 12);
    random() % 3 == 0 ? file.take_head(payload) : file.take_data(payload);
    if (file.state() == State::kWantsRoom) file.give_room(room.data());
    EXPECT_LE(file.grant(), room.size());
  }
}

}  // namespace
}  // namespace lona::vm::platform
