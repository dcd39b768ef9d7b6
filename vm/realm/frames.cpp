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

std::span<std::uint8_t> FrameReader::room(std::size_t wanted) {
  tidy();
  return bytes_.room(skip_ == 0 ? wanted : std::min(skip_, wanted));
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
    if (bytes_.reserve(at_ + frame_)) return State::kNone;
    skip_ = frame_ - there;
    at_ = bytes_.size();
  }
  return State::kNone;
}

void FrameReader::pass() {
  at_ += frame_;
}

void FrameReader::tidy() {
  if (at_ == bytes_.size()) {
    bytes_.shrink(kKept);
  } else {
    bytes_.erase(0, at_);
  }
  at_ = 0;
}

}  // namespace lona::vm
