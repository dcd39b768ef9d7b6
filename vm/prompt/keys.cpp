// SPDX-License-Identifier: BSD-2-Clause
#include "vm/prompt/keys.hpp"

namespace lona::vm {

using Kind = Key::Kind;

Key KeyDecoder::feed(std::uint8_t byte) {
  switch (state_) {
    case State::kGround:
      return ground(byte);
    case State::kUtf8:
      return utf8(byte);
    case State::kEscape:
      return escape(byte);
    case State::kSequence:
      return sequence(byte);
    case State::kSs3:
      state_ = State::kGround;
      return {.kind = final_byte(byte, false)};
  }
  return {};
}

Key KeyDecoder::ground(std::uint8_t byte) {
  if (byte == 0x1b) {
    state_ = State::kEscape;
    return {};
  }
  if (byte == 0x7f || byte == 0x08) return {.kind = Kind::kBackspace};
  if (byte == '\n') byte = '\r';
  if (byte < 0x20) return {.kind = Kind::kControl, .letter = static_cast<char>(byte + '@')};
  text_[0] = static_cast<char>(byte);
  length_ = 1;
  if (byte < 0x80) return {.kind = Kind::kText, .bytes = {text_, 1}};
  // 0xc0, 0xc1 and everything from 0xf5 start no code point.
  if (byte < 0xc2 || byte > 0xf4) return {};
  missing_ = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
  state_ = State::kUtf8;
  return {};
}

Key KeyDecoder::utf8(std::uint8_t byte) {
  if ((byte & 0xc0) != 0x80) {
    state_ = State::kGround;
    return ground(byte);
  }
  const auto lead = static_cast<std::uint8_t>(text_[0]);
  text_[length_++] = static_cast<char>(byte);
  if (--missing_ != 0) return {};
  state_ = State::kGround;
  const auto second = static_cast<std::uint8_t>(text_[1]);
  const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
  const bool surrogate = lead == 0xed && second >= 0xa0;
  const bool too_large = lead == 0xf4 && second >= 0x90;
  if (overlong || surrogate || too_large) return {};
  return {.kind = Kind::kText, .bytes = {text_, length_}};
}

Key KeyDecoder::escape(std::uint8_t byte) {
  state_ = State::kGround;
  if (byte == '[') {
    state_ = State::kSequence;
    parameter_[0] = parameter_[1] = 0;
    parameters_ = 0;
    return {};
  }
  if (byte == 'O') {
    state_ = State::kSs3;
    return {};
  }
  if (byte == 0x1b) {
    state_ = State::kEscape;
    return {};
  }
  if (byte == 0x7f || byte == 0x08) return {.kind = Kind::kAltBackspace};
  if (byte == '\r' || byte == '\n') return {.kind = Kind::kAltEnter};
  if (byte == 'b') return {.kind = Kind::kWordLeft};
  if (byte == 'f') return {.kind = Kind::kWordRight};
  if (byte >= 0x20 && byte < 0x7f) return {.kind = Kind::kAlt, .letter = static_cast<char>(byte)};
  return {};
}

Key KeyDecoder::sequence(std::uint8_t byte) {
  if (byte >= '0' && byte <= '9') {
    if (parameters_ < 2 && parameter_[parameters_] < 1000) {
      parameter_[parameters_] =
          static_cast<std::uint16_t>(parameter_[parameters_] * 10 + (byte - '0'));
    }
    return {};
  }
  if (byte == ';') {
    if (parameters_ < 2) ++parameters_;
    return {};
  }
  if (byte < 0x40) return {};  // other parameter and intermediate bytes
  state_ = State::kGround;
  if (byte != '~') return {.kind = final_byte(byte, parameter_[1] > 2)};
  switch (parameter_[0]) {
    case 1:
    case 7:
      return {.kind = Kind::kHome};
    case 4:
    case 8:
      return {.kind = Kind::kEnd};
    case 3:
      return {.kind = Kind::kDelete};
    default:
      return {};
  }
}

Kind KeyDecoder::final_byte(std::uint8_t byte, bool with_modifier) {
  switch (byte) {
    case 'A':
      return Kind::kUp;
    case 'B':
      return Kind::kDown;
    case 'C':
      return with_modifier ? Kind::kWordRight : Kind::kRight;
    case 'D':
      return with_modifier ? Kind::kWordLeft : Kind::kLeft;
    case 'H':
      return Kind::kHome;
    case 'F':
      return Kind::kEnd;
    default:
      return Kind::kNone;
  }
}

}  // namespace lona::vm
