// SPDX-License-Identifier: BSD-2-Clause
// What the host asks for at the start: the words of its start frame, and the text of a program,
// which comes in pieces and is in pages of its own, which grow.
#pragma once

#include "vm/platform/sel4/link.hpp"
#include "vm/platform/sel4/platform_state.hpp"

namespace lona::vm::platform {

class HostRequest {
 public:
  // mode NUL settings NUL "--" NUL arguments; what the settings say of the terminal goes there.
  void take_start(std::span<const std::uint8_t> payload, Terminal& terminal);
  // The end of the text is an empty piece.
  void take_source(std::span<const std::uint8_t> piece);

  bool started() const { return started_; }
  const StartRequest& start() const { return start_; }

 private:
  static constexpr std::size_t kMaxWords = 256;
  static constexpr std::size_t kMaxSource = std::size_t{64} << 20;

  void make_room(std::size_t bytes);

  StartRequest start_;
  std::uint8_t text_[kFramePayloadMax] = {};
  std::string_view words_[kMaxWords] = {};
  std::size_t word_count_ = 0;
  bool started_ = false;
  std::uint8_t* source_ = nullptr;
  std::size_t source_size_ = 0;
  std::size_t source_room_ = 0;
};

}  // namespace lona::vm::platform
