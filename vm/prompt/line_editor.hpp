// SPDX-License-Identifier: BSD-2-Clause
// A line editor as a state machine: fed with bytes, it changes its text and shows it.
//
//   Left Right Home End Ctrl-A/E/B/F, Alt-B/F or Ctrl-arrows for words
//   Backspace Delete Ctrl-D/H, Ctrl-K/U to the line's end or start, Ctrl-W and Alt-D a word,
//   Ctrl-Y what was cut last, Ctrl-T two characters, Ctrl-L a clean screen
//   Up Down Ctrl-P/N lines of the text, then history; Ctrl-R searches the history
//   Tab completes the name before the cursor, and shows the names it could be
//   Enter submits a complete text and otherwise starts a new line; Alt-Enter always does that
//   Ctrl-D on an empty text ends the input; Ctrl-C drops the text
#pragma once

#include "vm/prompt/candidates.hpp"
#include "vm/prompt/history.hpp"
#include "vm/prompt/keys.hpp"
#include "vm/prompt/screen.hpp"

namespace lona::vm {

class EditorHost : public TerminalOutput {
 public:
  // Is `text` a whole submission (Enter submits) or does it go on (Enter adds a line)?
  virtual bool complete(std::string_view text) = 0;
  // The names that start with candidates.word().
  virtual void find_names(Candidates& candidates) = 0;

 protected:
  ~EditorHost() = default;
};

class LineEditor {
 public:
  enum class Event : std::uint8_t { kNone, kSubmitted, kEndOfInput, kInterrupted };
  enum class Remember : std::uint8_t { kNo, kYes };

  explicit LineEditor(EditorHost& host) : host_(host), screen_(host) {}

  // Starts on an empty text and shows the prompt.
  void start(std::string_view prompt, Remember remember);
  // After kSubmitted text() is what was submitted, until the next start().
  Event feed(std::uint8_t byte);
  // Ctrl-C that came by another way than as a byte.
  void interrupt();
  void redraw();
  // Takes the text off the screen, so that something else can be written; redraw() puts it back.
  void hide() { screen_.erase(); }
  std::string_view text() const { return text_.text(); }

 private:
  using Kind = Key::Kind;

  Event key(const Key& key);
  Event control(char letter);
  Event enter();
  bool search_key(const Key& key);
  void alt(char letter);

  void insert(std::string_view bytes);
  void erase(std::size_t from, std::size_t to);
  void cut(std::size_t from, std::size_t to);
  void transpose();
  void complete_name();
  void up();
  void down();
  void recall(std::size_t age);
  void replace(std::string_view text);
  void search(std::size_t from_age);

  std::size_t previous(std::size_t at) const;
  std::size_t next(std::size_t at) const;
  std::size_t word_left() const;
  std::size_t word_right() const;
  std::size_t line_start() const;
  std::size_t line_end() const;

  static constexpr std::size_t kNotInHistory = ~std::size_t{0};

  EditorHost& host_;
  Screen screen_;
  KeyDecoder keys_;
  History history_;
  ByteBuffer text_;
  ByteBuffer cut_;
  ByteBuffer draft_;  // what was being typed before history was recalled
  std::size_t cursor_ = 0;
  std::size_t age_ = kNotInHistory;
  Remember remember_ = Remember::kNo;
  bool shown_ = true;  // the screen shows text and cursor as they are

  char prompt_[64] = {};
  std::size_t prompt_size_ = 0;

  bool searching_ = false;
  std::size_t found_age_ = 0;
  ByteBuffer wanted_;  // searched for
};

}  // namespace lona::vm
