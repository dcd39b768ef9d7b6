// SPDX-License-Identifier: BSD-2-Clause
// Source text that arrives line by line and leaves form by form.
//
// A form's text is handed out only when it is complete, so that after an error in one form the
// next is still found. The reader is asked where a form ends; a bracket counter spares asking it
// again for every line of a long form, so the time is linear.
#pragma once

#include "vm/heap/arena.hpp"
#include "vm/session/byte_buffer.hpp"

namespace lona::vm {

// Counts brackets outside of strings, comments and character literals.
class BracketCounter {
 public:
  void feed(std::string_view text);
  // Certainly more closing brackets or a string's end are to come.
  bool open() const { return !mismatch_ && (depth_ != 0 || state_ == State::kString); }
  void reset() { *this = BracketCounter(); }

 private:
  enum class State : std::uint8_t { kCode, kString, kStringEscape, kCharacter, kComment };
  static constexpr std::size_t kChecked = 64;  // so deep is it checked that the kinds agree
  void code(char c);
  void close(char c);

  State state_ = State::kCode;
  bool mismatch_ = false;
  std::size_t depth_ = 0;
  char closers_[kChecked] = {};
};

class FormSource {
 public:
  enum class Next : std::uint8_t {
    kForm,      // `out` has one form, or text that cannot be read
    kNeedMore,  // the last form is not complete
    kEmpty,     // nothing but blanks is left, and that has been dropped
  };
  struct Piece {
    std::string_view text;  // valid until append()
    std::uint32_t line;     // that it starts on, from 1
  };

  // False when there is no memory.
  [[nodiscard]] bool append(std::string_view text);
  Next next(bool input_has_ended, Piece& out);
  // Drops what is left of the text.
  void clear();

 private:
  void take(std::size_t bytes, Piece& out);

  ByteBuffer text_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;  // of at_
  BracketCounter brackets_;
  Arena arena_;
};

// For the line editor: may this text be submitted? Text that is wrong may, text that ends too
// early may not.
bool is_complete(std::string_view text);

}  // namespace lona::vm
