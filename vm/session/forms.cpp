// SPDX-License-Identifier: BSD-2-Clause
#include "vm/session/forms.hpp"

#include <algorithm>

#include "vm/reader/reader.hpp"

namespace lona::vm {

void BracketCounter::feed(std::string_view text) {
  for (char c : text) {
    switch (state_) {
      case State::kCode:
        code(c);
        break;
      case State::kString:
        if (c == '"') state_ = State::kCode;
        if (c == '\\') state_ = State::kStringEscape;
        break;
      case State::kStringEscape:
        state_ = State::kString;
        break;
      case State::kCharacter:
        state_ = State::kCode;
        break;
      case State::kComment:
        if (c == '\n') state_ = State::kCode;
        break;
    }
  }
}

void BracketCounter::code(char c) {
  const auto open = [this](char closer) {
    if (depth_ < kChecked) closers_[depth_] = closer;
    ++depth_;
  };
  if (c == '(') open(')');
  if (c == '[') open(']');
  if (c == '{') open('}');
  if (c == ')' || c == ']' || c == '}') close(c);
  if (c == '"') state_ = State::kString;
  if (c == '\\') state_ = State::kCharacter;
  if (c == ';') state_ = State::kComment;
}

void BracketCounter::close(char c) {
  if (depth_ == 0 || (depth_ <= kChecked && closers_[depth_ - 1] != c)) {
    mismatch_ = true;
  } else {
    --depth_;
  }
}

bool FormSource::append(std::string_view text) {
  if (at_ != 0) {
    text_.erase(0, at_);
    at_ = 0;
  }
  if (!text_.append(text)) return false;
  brackets_.feed(text);
  return true;
}

void FormSource::clear() {
  Piece ignored;
  take(text_.size() - at_, ignored);
  text_.clear();
  at_ = 0;
  brackets_.reset();
}

void FormSource::take(std::size_t bytes, Piece& out) {
  out = {.text = text_.text().substr(at_, bytes), .line = line_};
  line_ += static_cast<std::uint32_t>(std::count(out.text.begin(), out.text.end(), '\n'));
  at_ += bytes;
}

FormSource::Next FormSource::next(bool input_has_ended, Piece& out) {
  const std::string_view left = text_.text().substr(at_);
  if (!input_has_ended && brackets_.open()) return Next::kNeedMore;
  Reader reader(arena_, left, {.first_line = line_});
  const ReadOutcome outcome = reader.next();
  Next result = Next::kForm;
  if (outcome.kind == ReadOutcome::Kind::kForm) {
    take(reader.offset(), out);
  } else if (outcome.kind == ReadOutcome::Kind::kEnd) {
    clear();
    result = Next::kEmpty;
  } else if (outcome.incomplete && !input_has_ended) {
    result = Next::kNeedMore;
  } else {
    // Whoever evaluates the piece meets the same error; the next line starts afresh.
    if (!outcome.incomplete) reader.skip_line();
    take(outcome.incomplete ? left.size() : reader.offset(), out);
    brackets_.reset();
    brackets_.feed(text_.text().substr(at_));
  }
  arena_.clear();
  return result;
}

bool is_complete(std::string_view text) {
  BracketCounter brackets;
  brackets.feed(text);
  if (brackets.open()) return false;
  Arena arena;
  Reader reader(arena, text);
  ReadOutcome outcome;
  do {
    outcome = reader.next();
  } while (outcome.kind == ReadOutcome::Kind::kForm);
  return outcome.kind == ReadOutcome::Kind::kEnd || !outcome.incomplete;
}

}  // namespace lona::vm
