// SPDX-License-Identifier: BSD-2-Clause
#include "vm/realm/frames.hpp"

#include "vm/realm/patience.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace lona::vm {
namespace {

constexpr std::size_t kMost = 100'000;

std::string frame_of(std::string_view content, Word target) {
  const Frame::Head head{.size = static_cast<std::uint32_t>(content.size()),
                         .kind = Frame::Kind::kMessage,
                         .target = target};
  return std::string(reinterpret_cast<const char*>(&head), sizeof head) + std::string(content);
}

// The contents of all frames, when the bytes come in pieces of at most `piece`.
std::vector<std::string> read_all(FrameReader& reader, std::string_view bytes, std::size_t piece) {
  std::vector<std::string> contents;
  while (!bytes.empty()) {
    const auto room = reader.room(piece);
    EXPECT_FALSE(room.empty());
    const std::size_t count = std::min({room.size(), bytes.size(), piece});
    std::memcpy(room.data(), bytes.data(), count);
    reader.came(count);
    bytes.remove_prefix(count);
    Frame frame;
    while (reader.look(frame) == FrameReader::State::kFrame) {
      EXPECT_EQ(frame.head.target, contents.size());
      contents.emplace_back(reinterpret_cast<const char*>(frame.content.data()),
                            frame.content.size());
      reader.pass();
    }
  }
  return contents;
}

TEST(RoutedFrame, ShowsTheFrameInside) {
  const Route sent{.to = 7, .from = 3, .kind = Frame::Kind::kMessage};
  std::string content(reinterpret_cast<const char*>(&sent), sizeof sent);
  content += "abc";
  Frame frame{.head = {.size = 0, .kind = Frame::Kind::kRouted, .target = 99}, .content = {}};
  frame.content = {reinterpret_cast<const std::uint8_t*>(content.data()), content.size()};
  Route route;
  Frame inside;
  ASSERT_TRUE(open_routed(frame, route, inside));
  EXPECT_EQ(route.to, 7u);
  EXPECT_EQ(route.from, 3u);
  EXPECT_EQ(inside.head.kind, Frame::Kind::kMessage);
  EXPECT_EQ(inside.head.target, 99u);
  EXPECT_EQ(inside.content.size(), 3u);
  EXPECT_EQ(inside.content[0], 'a');
}

TEST(RoutedFrame, RefusesWhatIsTooShortOrOfAnotherKind) {
  for (const auto kind : {Frame::Kind::kOutput, Frame::Kind::kRouted, Frame::Kind{0}}) {
    const Route sent{.to = 7, .from = 3, .kind = kind};
    Frame frame{.head = {.size = sizeof sent, .kind = Frame::Kind::kRouted, .target = 0},
                .content = {reinterpret_cast<const std::uint8_t*>(&sent), sizeof sent}};
    Route route;
    Frame inside;
    EXPECT_FALSE(open_routed(frame, route, inside));
    frame.content = frame.content.first(sizeof sent - 1);
    EXPECT_FALSE(open_routed(frame, route, inside));
  }
}

TEST(FrameReader, GivesFramesBackWhateverPiecesTheyComeIn) {
  std::mt19937 random(3);
  std::string all;
  std::vector<std::string> contents;
  for (unsigned at = 0; at < 200; ++at) {
    const std::size_t size = random() % (at % 20 == 0 ? kMost : 100);
    contents.push_back(std::string(size, static_cast<char>('a' + at % 26)));
    all += frame_of(contents.back(), at);
  }
  for (const std::size_t piece : {1, 7, 16, 4096, 1 << 20}) {
    FrameReader reader(kMost);
    EXPECT_EQ(read_all(reader, all, piece), contents) << piece;
  }
}

TEST(FrameReader, HoldsAFrameUntilItIsPassed) {
  FrameReader reader(kMost);
  const std::string bytes = frame_of("one", 1) + frame_of("two", 2);
  std::memcpy(reader.room(bytes.size()).data(), bytes.data(), bytes.size());
  reader.came(bytes.size());
  Frame frame;
  for (unsigned looks = 0; looks < 3; ++looks) {
    ASSERT_EQ(reader.look(frame), FrameReader::State::kFrame);
    EXPECT_EQ(frame.head.target, 1U);
  }
  reader.pass();
  ASSERT_EQ(reader.look(frame), FrameReader::State::kFrame);
  EXPECT_EQ(frame.head.target, 2U);
}

TEST(FrameReader, RefusesAFrameThatIsLongerThanItMayBe) {
  FrameReader reader(kMost);
  const Frame::Head head{.size = kMost + 1, .kind = Frame::Kind::kMessage, .target = 0};
  std::memcpy(reader.room(sizeof head).data(), &head, sizeof head);
  reader.came(sizeof head);
  Frame frame;
  EXPECT_EQ(reader.look(frame), FrameReader::State::kBroken);
}

TEST(FrameReader, TakesAFrameThatThereIsMemoryForLater) {
  FrameReader reader(kMost);
  const std::string content(kMost, 'x');
  const std::string bytes = frame_of(content, 4);
  std::memcpy(reader.room(100).data(), bytes.data(), 100);
  reader.came(100);
  std::vector<std::pair<void*, std::size_t>> taken;
  for (std::size_t size = std::size_t{64} << 20; size >= platform::kPageSize; size /= 2) {
    while (void* pages = platform::map_pages(size)) taken.emplace_back(pages, size);
  }
  Frame frame;
  EXPECT_EQ(reader.look(frame), FrameReader::State::kNoMemory);
  EXPECT_EQ(reader.look(frame), FrameReader::State::kNoMemory);
  for (const auto& [pages, size] : taken) platform::unmap_pages(pages, size);
  EXPECT_EQ(reader.look(frame), FrameReader::State::kNone);
  const auto rest = reader.room(bytes.size() - 100);
  ASSERT_EQ(rest.size(), bytes.size() - 100);
  std::memcpy(rest.data(), bytes.data() + 100, rest.size());
  reader.came(rest.size());
  ASSERT_EQ(reader.look(frame), FrameReader::State::kFrame);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(frame.content.data()), frame.content.size()),
            content);
}

TEST(FrameReader, DoesNotGrowForTheEndOfALongFrame) {
  FrameReader reader(kMost);
  const std::string bytes = frame_of(std::string(kMost, 'x'), 0);
  const std::size_t before = platform::memory_figures().mapped;
  EXPECT_EQ(read_all(reader, bytes.substr(0, kMost - 10), 4096).size(), 0U);
  EXPECT_LE(platform::memory_figures().mapped, before + kMost + 2 * platform::kPageSize);
  (void)reader.room(4096);
  EXPECT_LE(platform::memory_figures().mapped, before + kMost + 2 * platform::kPageSize);
}

TEST(FrameReader, HasWhatItHasPromised) {
  FrameReader reader(kMost);
  const std::size_t before = platform::memory_figures().mapped;
  ASSERT_TRUE(reader.promise(kMost));
  EXPECT_GE(platform::memory_figures().mapped, before + kMost);
  (void)reader.room(100);  // it stays while other bytes come
  EXPECT_GE(platform::memory_figures().mapped, before + kMost);
  EXPECT_TRUE(reader.promise(0));
  EXPECT_EQ(platform::memory_figures().mapped, before);
}

TEST(Room, GoesThroughAWordAndIsAnotherWordEachTime) {
  const Room room{.frame = 1'000'000, .heap = 70'000'000};
  const Room back = Room::of(room.word(7));
  EXPECT_GE(back.frame, room.frame);
  EXPECT_LT(back.frame, room.frame + platform::kPageSize);
  EXPECT_GE(back.heap, room.heap);
  EXPECT_LT(back.heap, room.heap + platform::kPageSize);
  EXPECT_NE(room.word(7), room.word(8));
  EXPECT_EQ(Room::of(0).all(), 0u);
}

TEST(Patience, EndsAfterALongTimeOfTrying) {
  constexpr std::uint64_t kStep = 1'000'000, kStart = 50;
  Patience patience;
  const Term one = Term::integer(1), other = Term::integer(2);
  std::uint64_t now = kStart;
  for (; now - kStart < Patience::kLongestNs; now += kStep) {
    ASSERT_FALSE(patience.over(one, now));
  }
  EXPECT_FALSE(patience.over(other, now));
  EXPECT_TRUE(patience.over(one, now));
  EXPECT_FALSE(patience.over(one, now)) << "it begins anew";
}

TEST(Patience, DoesNotCountWhenItHasStoppedTrying) {
  Patience patience;
  const Term one = Term::integer(1);
  EXPECT_FALSE(patience.over(one, 1));
  EXPECT_FALSE(patience.over(one, Patience::kLongestNs * 2));
  EXPECT_TRUE(patience.any());
  patience.forget(one);
  EXPECT_FALSE(patience.any());
}

TEST(FrameReader, PassesOverAFrameThatThereIsNoMemoryFor) {
  FrameReader reader(~std::uint32_t{0});
  // More than the host build lets a VM have.
  const Frame::Head head{.size = ~std::uint32_t{0}, .kind = Frame::Kind::kMessage, .target = 0};
  ASSERT_LT(platform::memory_figures().limit, head.size);
  std::memcpy(reader.room(sizeof head).data(), &head, sizeof head);
  reader.came(sizeof head);
  Frame frame;
  EXPECT_EQ(reader.look(frame), FrameReader::State::kNoMemory);
  reader.pass();
  std::uint64_t left = head.size;
  while (left > 0) {
    const auto room = reader.room(1 << 20);
    ASSERT_LE(room.size(), left);
    reader.came(room.size());
    left -= room.size();
  }
  const std::string next = frame_of("next", 9);
  std::memcpy(reader.room(next.size()).data(), next.data(), next.size());
  reader.came(next.size());
  ASSERT_EQ(reader.look(frame), FrameReader::State::kFrame);
  EXPECT_EQ(frame.head.target, 9U);
}

}  // namespace
}  // namespace lona::vm
