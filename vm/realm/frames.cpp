// SPDX-License-Identifier: BSD-2-Clause
#include "vm/realm/frames.hpp"

#include <algorithm>

namespace lona::vm {

bool open_routed(const Frame& frame, Route& route, Frame& inside) {
  if (frame.content.size() < sizeof route) return false;
  __builtin_memcpy(&route, frame.content.data(), sizeof route);
  inside.content = frame.content.subspan(sizeof route);
  inside.head = {.size = static_cast<std::uint32_t>(inside.content.size()),
                 .kind = route.kind,
                 .target = frame.head.target};
  return route.kind == Frame::Kind::kMessage || route.kind == Frame::Kind::kRequest;
}

namespace {
constexpr unsigned kTurnBits = 16, kPagesBits = 24;
constexpr Word kPagesMask = (Word{1} << kPagesBits) - 1;
Word pages(std::size_t bytes) {
  return std::min<Word>(platform::whole_pages(bytes) / platform::kPageSize, kPagesMask);
}
}  // namespace

Word Room::word(unsigned turn) const {
  return pages(frame) | pages(heap) << kPagesBits | Word{turn} << (64 - kTurnBits);
}

Room Room::of(Word word) {
  return {.frame = (word & kPagesMask) * platform::kPageSize,
          .heap = (word >> kPagesBits & kPagesMask) * platform::kPageSize};
}

std::span<std::uint8_t> FrameReader::room(std::size_t wanted) {
  tidy();
  if (skip_ != 0) wanted = std::min(skip_, wanted);
  // A long frame has its place already; it does not grow for the sake of what comes behind it.
  if (bytes_.unused() != 0) wanted = std::min(bytes_.unused(), wanted);
  return bytes_.room(wanted);
}

void FrameReader::came(std::size_t count) {
  if (skip_ == 0) {
    bytes_.grow(count);
  } else {
    skip_ -= count;
  }
}

FrameReader::State FrameReader::look(Frame& frame) {
  while (bytes_.size() - at_ >= sizeof(Frame::Head)) {
    __builtin_memcpy(&frame.head, bytes_.data() + at_, sizeof frame.head);
    if (frame.head.size > most_) return State::kBroken;
    frame_ = sizeof frame.head + frame.head.size;
    const std::size_t there = bytes_.size() - at_;
    if (there >= frame_) {
      frame.content = {bytes_.data() + at_ + sizeof frame.head, frame.head.size};
      return State::kFrame;
    }
    // All of it at once, so that a long one is not moved again and again while it comes.
    return bytes_.reserve(at_ + frame_) ? State::kNone : State::kNoMemory;
  }
  return State::kNone;
}

void FrameReader::pass() {
  const std::size_t there = std::min(bytes_.size() - at_, frame_);
  skip_ = frame_ - there;
  at_ += there;
}

bool FrameReader::promise(std::size_t frame) {
  kept_ = kKept;
  tidy();
  if (frame == 0 || !bytes_.reserve(bytes_.size() + sizeof(Frame::Head) + frame)) return frame == 0;
  kept_ = kKept + 2 * frame;
  return true;
}

void FrameReader::tidy() {
  if (at_ == bytes_.size()) {
    bytes_.shrink(kept_);
  } else {
    bytes_.erase(0, at_);
  }
  at_ = 0;
}

}  // namespace lona::vm
