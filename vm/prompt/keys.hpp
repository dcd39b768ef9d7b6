// SPDX-License-Identifier: BSD-2-Clause
// Decodes what a terminal sends: control characters, UTF-8, and the escape sequences of VT100,
// xterm and the Linux console for the keys that a line editor uses. Unknown sequences and bytes
// that are not UTF-8 are dropped whole.
#pragma once

#include <cstdint>
#include <string_view>

namespace lona::vm {

struct Key {
  enum class Kind : std::uint8_t {
    kNone,     // the byte was only a part of something
    kText,     // `bytes`, one code point
    kControl,  // Ctrl with the letter `letter`, e.g. 'A'; Enter is 'M', Tab is 'I'
    kAlt,      // Alt with the letter `letter`
    kBackspace,
    kDelete,
    kLeft,
    kRight,
    kUp,
    kDown,
    kHome,
    kEnd,
    kWordLeft,
    kWordRight,
    kAltBackspace,
    kAltEnter,
  };
  Kind kind = Kind::kNone;
  char letter = 0;
  std::string_view bytes = {};  // valid until the next byte is fed
};

class KeyDecoder {
 public:
  Key feed(std::uint8_t byte);

 private:
  enum class State : std::uint8_t { kGround, kUtf8, kEscape, kSequence, kSs3 };

  Key ground(std::uint8_t byte);
  Key utf8(std::uint8_t byte);
  Key escape(std::uint8_t byte);
  Key sequence(std::uint8_t byte);
  static Key::Kind final_byte(std::uint8_t byte, bool with_modifier);

  State state_ = State::kGround;
  char text_[4] = {};
  std::uint8_t length_ = 0;   // bytes of text_ so far
  std::uint8_t missing_ = 0;  // bytes of the code point still to come
  // Numbers of `ESC [ first ; second …`: key number and modifier.
  std::uint16_t parameter_[2] = {};
  std::uint8_t parameters_ = 0;
};

}  // namespace lona::vm
