// SPDX-License-Identifier: BSD-2-Clause
// A file on its way from the host (docs/host-link.md, `L` `H` `M` `D`). Payloads in, credit out;
// nothing that the host sends breaks more than the request. Memory for the text is the owner's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "vm/platform/platform.hpp"

namespace lona::vm::platform {

class FileTransfer {
 public:
  static constexpr std::size_t kWindow = 64 * 1024;
  static constexpr std::size_t kNumber = 4;
  static constexpr std::size_t kHead = kNumber + 1 + 4;

  enum class State : std::uint8_t { kIdle, kAsked, kWantsRoom, kReceiving, kDone };

  // A new request; its number.
  std::uint32_t ask() {
    *this = FileTransfer(number_ + 1);
    state_ = State::kAsked;
    return number_;
  }
  // Whatever still comes for this request is dropped.
  void drop() { *this = FileTransfer(number_); }

  void take_head(std::span<const std::uint8_t> payload) {
    if (!is_ours(payload)) return;
    if (state_ != State::kAsked || payload.size() != kHead) return fail(FileError::kBroken);
    const std::uint8_t answer = payload[kNumber];
    size_ = word(payload.subspan(kNumber + 1));
    if (answer > static_cast<std::uint8_t>(FileError::kUnreadable)) {
      return fail(FileError::kBroken);
    }
    if (answer != 0) return fail(static_cast<FileError>(answer));
    if (size_ > kMostFileBytes) return fail(FileError::kTooLarge);
    state_ = size_ == 0 ? State::kDone : State::kWantsRoom;
  }

  // In kWantsRoom: room for size() bytes, null when there is none.
  void give_room(std::uint8_t* room) {
    if (room == nullptr) return fail(FileError::kNoMemory);
    room_ = room;
    state_ = State::kReceiving;
  }

  void take_data(std::span<const std::uint8_t> payload) {
    if (!is_ours(payload)) return;
    const auto piece = payload.subspan(kNumber);
    if (state_ != State::kReceiving || piece.size() > granted_ - received_) {
      return fail(FileError::kBroken);
    }
    std::memcpy(room_ + received_, piece.data(), piece.size());
    received_ += piece.size();
    if (received_ == size_) state_ = State::kDone;
  }

  // How much more the host may send now, but not in small change.
  std::size_t grant() {
    if (state_ != State::kReceiving || granted_ - received_ > kWindow / 2) return 0;
    const std::size_t most = received_ + kWindow < size_ ? received_ + kWindow : size_;
    const std::size_t more = most - granted_;
    granted_ = most;
    return more;
  }

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] FileError error() const { return error_; }
  [[nodiscard]] std::uint32_t number() const { return number_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  // What give_room gave, also after a failure; null before.
  [[nodiscard]] std::uint8_t* room() const { return room_; }

  FileTransfer() = default;

 private:
  explicit FileTransfer(std::uint32_t number) : number_(number) {}

  static std::uint32_t word(std::span<const std::uint8_t> bytes) {
    std::uint32_t value = 0;
    std::memcpy(&value, bytes.data(), sizeof(value));
    return value;
  }
  // An answer that does not even have a number can only be to what is being asked.
  bool is_ours(std::span<const std::uint8_t> payload) {
    if (state_ == State::kIdle) return false;
    if (payload.size() >= kNumber) return word(payload) == number_;
    fail(FileError::kBroken);
    return false;
  }
  void fail(FileError error) {
    state_ = State::kDone;
    error_ = error;
  }

  std::uint32_t number_ = 0;
  State state_ = State::kIdle;
  FileError error_ = FileError::kNone;
  std::size_t size_ = 0, granted_ = 0, received_ = 0;
  std::uint8_t* room_ = nullptr;
};

}  // namespace lona::vm::platform
