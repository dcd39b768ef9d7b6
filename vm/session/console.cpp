// SPDX-License-Identifier: BSD-2-Clause
#include "vm/session/console.hpp"

#include <new>

#include "vm/session/forms.hpp"

namespace lona::vm {

namespace {

constinit Console* g_console = nullptr;

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

}  // namespace

Console::Console(bool interactive) : interactive_(interactive), editor_(*this) {}

void Console::create(bool for_prompt) {
  constexpr std::size_t kBytes = platform::whole_pages(sizeof(Console));
  void* memory = platform::map_pages(kBytes);
  if (memory == nullptr) platform::panic("no memory for the console");
  g_console = new (memory) Console(for_prompt && platform::terminal().interactive);
}

Console& Console::the() {
  return *g_console;
}

// --- Input
// ----------------------------------------------------------------------------------------

// Takes what the platform has; kWait when that was nothing.
Console::Input Console::fill() {
  constexpr std::size_t kBlock = 16 * 1024;
  if (input_ended_) return Input::kEnd;
  if (at_ != 0 && at_ * 2 >= input_.size()) {
    input_.erase(0, at_);
    searched_ -= at_;
    at_ = 0;
  }
  const std::span<std::uint8_t> room = input_.room(kBlock);
  if (room.empty()) return Input::kNoMemory;
  const platform::ReadResult got = platform::read(room);
  if (got.bytes != 0) {
    input_.grow(got.bytes);
    return Input::kText;
  }
  if (got.end_of_input) {
    input_ended_ = true;
    return Input::kEnd;
  }
  platform::want_input();
  return Input::kWait;
}

void Console::drop(std::size_t bytes) {
  at_ += bytes;
  searched_ = at_;
}

Console::Input Console::read_line(std::string_view& line) {
  if (interactive_) return edit_as(Owner::kReader, "", line);
  while (true) {
    if (searched_ < at_) searched_ = at_;
    const std::size_t end = input_.text().find('\n', searched_);
    if (end != std::string_view::npos) {
      line = input_.text().substr(at_, end - at_);
      drop(end + 1 - at_);
      return Input::kText;
    }
    searched_ = input_.size();
    const Input filled = fill();
    if (filled == Input::kEnd && at_ != input_.size()) {
      line = input_.text().substr(at_);
      drop(line.size());
      return Input::kText;
    }
    if (filled != Input::kText) return filled;
  }
}

Console::Input Console::read_piece(std::size_t wanted, std::string_view& piece) {
  if (interactive_) return edit_as(Owner::kReader, "", piece);
  if (searched_ < at_ + wanted) searched_ = at_ + wanted;
  while (true) {
    const std::string_view text = input_.text();
    while (searched_ < text.size() && !is_space(text[searched_])) ++searched_;
    if (searched_ < text.size()) {
      piece = text.substr(at_, searched_ + 1 - at_);
      drop(piece.size());
      return Input::kText;
    }
    const std::size_t ahead = searched_ - at_;
    const Input filled = fill();
    if (filled == Input::kEnd && at_ != input_.size()) {
      piece = input_.text().substr(at_);
      drop(piece.size());
      return Input::kText;
    }
    if (filled != Input::kText) {
      searched_ = at_;
      return filled;
    }
    searched_ = at_ + ahead;
  }
}

Console::Input Console::edit(std::string_view prompt, std::string_view& text) {
  return edit_as(Owner::kPrompt, prompt, text);
}

Console::Input Console::edit_as(Owner owner, std::string_view prompt, std::string_view& text) {
  if (owner_ != Owner::kNobody && owner_ != owner) {
    platform::want_input();
    return Input::kWait;
  }
  if (owner_ == Owner::kNobody) {
    if (owner == Owner::kPrompt) fresh_line();
    editor_.start(prompt,
                  owner == Owner::kPrompt ? LineEditor::Remember::kYes : LineEditor::Remember::kNo);
    owner_ = owner;
  }
  while (true) {
    // Bytes typed ahead stay in input_ for the next owner.
    while (at_ != input_.size()) {
      const auto byte = static_cast<std::uint8_t>(input_[at_]);
      drop(1);
      switch (editor_.feed(byte)) {
        case LineEditor::Event::kNone:
          break;
        case LineEditor::Event::kSubmitted:
          owner_ = Owner::kNobody;
          at_line_start_ = true;
          text = editor_.text();
          return Input::kText;
        case LineEditor::Event::kEndOfInput:
          owner_ = Owner::kNobody;
          at_line_start_ = true;
          return Input::kEnd;
        case LineEditor::Event::kInterrupted:
          editor_.start(prompt, LineEditor::Remember::kYes);
          break;
      }
    }
    const Input filled = fill();
    if (filled == Input::kEnd) owner_ = Owner::kNobody;
    if (filled != Input::kText) return filled;
  }
}

void Console::interrupt() {
  if (interactive_) drop(input_.size() - at_);  // typed before Ctrl-C
  if (owner_ == Owner::kNobody) return;
  editor_.interrupt();
  at_line_start_ = true;
  owner_ = Owner::kNobody;
}

// --- Output
// ---------------------------------------------------------------------------------------

bool Console::write(platform::Stream stream, std::string_view bytes) {
  if (bytes.empty()) return true;
  const bool editing = owner_ == Owner::kPrompt;
  if (editing) editor_.hide();
  const bool good =
      platform::write(stream, {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  if (stream == platform::Stream::kOutput || interactive_) at_line_start_ = bytes.back() == '\n';
  if (editing) {
    fresh_line();
    editor_.redraw();
  }
  return good;
}

void Console::fresh_line() {
  if (!at_line_start_) write("\n");
  at_line_start_ = true;
}

void Console::write(std::string_view bytes) {
  platform::write(platform::Stream::kOutput,
                  {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

unsigned Console::columns() {
  return platform::terminal().columns;
}

bool Console::complete(std::string_view text) {
  return owner_ != Owner::kPrompt || is_complete(text);
}

void Console::find_names(Candidates& candidates) {
  if (owner_ == Owner::kPrompt && name_finder_ != nullptr) name_finder_(name_context_, candidates);
}

bool ConsoleSink::put(Sink& self, std::string_view text) {
  auto& sink = static_cast<ConsoleSink&>(self);
  if (text.size() > sizeof sink.buffer_ - sink.used_ && !sink.finish()) return false;
  if (text.size() > sizeof sink.buffer_) {
    sink.good_ = Console::the().write(sink.stream_, text);
    return sink.good_;
  }
  for (char c : text) sink.buffer_[sink.used_++] = c;
  return sink.good_;
}

bool ConsoleSink::finish() {
  if (used_ != 0) good_ = Console::the().write(stream_, {buffer_, used_}) && good_;
  used_ = 0;
  return good_;
}

}  // namespace lona::vm
