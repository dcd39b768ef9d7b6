// SPDX-License-Identifier: BSD-2-Clause
// Shows a prompt, a text of one or more lines and a cursor on a terminal of any width.
//
// Redrawing starts at the prompt's row and rewrites all of it; rows are ended explicitly before
// the terminal would wrap, so nothing depends on how it wraps. Typing at the end of the text, the
// common case, costs one code point of output.
#pragma once

#include <cstdint>
#include <string_view>

namespace lona::vm {

class TerminalOutput {
 public:
  virtual void write(std::string_view bytes) = 0;
  virtual unsigned columns() = 0;

 protected:
  ~TerminalOutput() = default;
};

// Columns that a code point takes: 0 for combining marks, 2 for wide East Asian characters.
unsigned display_width(std::uint32_t code_point);

class Screen {
 public:
  explicit Screen(TerminalOutput& out) : out_(out) {}

  // Draws everything; the cursor is `cursor` bytes into the text. Further lines of the text are
  // indented to stand below the first.
  void draw(std::string_view prompt, std::string_view text, std::size_t cursor);
  // The text has grown by `added` at its end, where the cursor was and is again.
  // False: not that simple, draw() must be called.
  bool append(std::string_view added);
  // Moves behind the text and to a new row; the next draw starts there.
  void leave();
  // Forgets what is on the screen: the next draw starts on the current row.
  void forget() { at_ = end_ = {}; }
  void clear_all();
  // Leaves an empty row where the prompt was, with the cursor at its start.
  void erase();

 private:
  struct Position {
    unsigned row = 0;
    unsigned column = 0;
  };
  void put(std::string_view bytes, unsigned indent, std::size_t cursor, Position& marked);
  void move(Position to);
  void number(char final, unsigned n);

  TerminalOutput& out_;
  Position at_;   // where the cursor is, relative to the prompt's start
  Position end_;  // where the text ends
};

}  // namespace lona::vm
