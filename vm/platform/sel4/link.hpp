// SPDX-License-Identifier: BSD-2-Clause
// Frames of the host link: `type u8, length u16 little endian, payload`, at most 4096 bytes. Bytes
// in, frames out; no state beyond the frame in the making.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace lona::vm::platform {

inline constexpr std::size_t kFrameHead = 3;
inline constexpr std::size_t kFramePayloadMax = 4096;

enum class FromHost : std::uint8_t {
  kStart = 'S',
  kFile = 'F',
  kInput = 'I',
  kEnd = 'E',
  kInterrupt = 'C',
  kWindow = 'W',
  kTaken = 'T',
  kFileHead = 'H',
  kFileData = 'D',
};

enum class ToHost : std::uint8_t {
  kReady = 'R',
  kOutput = 'O',
  kError = 'X',
  kCredit = 'K',
  kLoad = 'L',
  kFileCredit = 'M',
  kEnded = 'Q',
};

class FrameDecoder {
 public:
  // Takes one byte. True when a frame is complete: `type` and `payload` hold until the next byte.
  bool take(std::uint8_t byte) {
    if (complete_) {
      complete_ = false;
      used_ = 0;
    }
    if (used_ < kFrameHead) {
      head_[used_] = byte;
    } else {
      payload_[used_ - kFrameHead] = byte;
    }
    ++used_;
    if (used_ >= kFrameHead && length() > kFramePayloadMax) {
      broken_ = true;
      used_ = 0;  // nothing that follows can be understood; what is held stays within its bounds
    }
    complete_ = used_ >= kFrameHead && used_ == kFrameHead + length();
    return complete_;
  }

  [[nodiscard]] FromHost type() const { return static_cast<FromHost>(head_[0]); }
  [[nodiscard]] std::span<const std::uint8_t> payload() const {
    return {payload_.data(), length()};
  }
  // A length beyond the protocol's has been seen.
  [[nodiscard]] bool broken() const { return broken_; }

 private:
  [[nodiscard]] std::size_t length() const {
    return static_cast<std::size_t>(head_[1] | head_[2] << 8);
  }

  std::array<std::uint8_t, kFrameHead> head_{};
  std::array<std::uint8_t, kFramePayloadMax> payload_{};
  std::size_t used_ = 0;
  bool complete_ = false;
  bool broken_ = false;
};

inline std::array<std::uint8_t, kFrameHead> frame_head(ToHost type, std::size_t length) {
  return {static_cast<std::uint8_t>(type), static_cast<std::uint8_t>(length),
          static_cast<std::uint8_t>(length >> 8)};
}

// How much of what was sent the host has not taken yet. What carries the bytes drops those that it
// has no room for, so there is never more on its way than it surely holds.
class OutputWindow {
 public:
  // What a frame counts for: its payload, and what small pieces cost on the way.
  static constexpr std::size_t kFrameCost = 2048;
  static constexpr std::size_t kSize = 64 * 1024;

  [[nodiscard]] bool has_room(std::size_t payload) const {
    return payload + kFrameCost <= kSize - used_;
  }
  // After has_room().
  void send(std::size_t payload) { used_ += payload + kFrameCost; }
  // False: the host says that it took more than was sent.
  [[nodiscard]] bool take(std::size_t cost) {
    if (cost > used_) {
      return false;
    }
    used_ -= cost;
    return true;
  }

 private:
  std::size_t used_ = 0;
};

// Standard input that came and was not read yet, and how much more the host may send.
class InputQueue {
 public:
  static constexpr std::size_t kSize = 64 * 1024;

  // False when the host sent more than it was allowed to.
  [[nodiscard]] bool put(std::span<const std::uint8_t> bytes) {
    if (bytes.size() > kSize - count_) {
      return false;
    }
    for (const std::uint8_t byte : bytes) {
      bytes_[(first_ + count_++) % kSize] = byte;
    }
    credit_ -= bytes.size() < credit_ ? bytes.size() : credit_;
    return true;
  }

  std::size_t take(std::span<std::uint8_t> buffer) {
    std::size_t taken = 0;
    while (taken < buffer.size() && count_ > 0) {
      buffer[taken++] = bytes_[first_];
      first_ = (first_ + 1) % kSize;
      --count_;
    }
    return taken;
  }

  // How much more may be granted now: all that is free, but not in small change.
  [[nodiscard]] std::size_t grant() {
    const std::size_t room = kSize - count_ - credit_;
    if (room < kSize / 2) {
      return 0;
    }
    credit_ += room;
    return room;
  }

  [[nodiscard]] bool empty() const { return count_ == 0; }
  void clear() { first_ = count_ = 0; }

 private:
  std::array<std::uint8_t, kSize> bytes_{};
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::size_t credit_ = 0;
};

}  // namespace lona::vm::platform
