// SPDX-License-Identifier: BSD-2-Clause
#include "vm/prompt/line_editor.hpp"

#include <algorithm>

namespace lona::vm {

namespace {

bool continues_code_point(char c) {
  return (static_cast<std::uint8_t>(c) & 0xc0) == 0x80;
}

// Words of names: what Lonala's symbols are made of, without the delimiters.
bool is_word(char c) {
  constexpr std::string_view kDelimiters = " \t\n()[]{}\"';`~^@#%,";
  return kDelimiters.find(c) == std::string_view::npos;
}

}  // namespace

void LineEditor::start(std::string_view prompt, Remember remember) {
  prompt_size_ = std::min(prompt.size(), sizeof prompt_);
  std::copy_n(prompt.data(), prompt_size_, prompt_);
  remember_ = remember;
  text_.clear();
  draft_.clear();
  cursor_ = 0;
  age_ = kNotInHistory;
  searching_ = false;
  screen_.forget();
  redraw();
}

void LineEditor::redraw() {
  shown_ = true;
  if (!searching_) {
    screen_.draw({prompt_, prompt_size_}, text_.text(), cursor_);
    return;
  }
  char label[80] = "search '";
  std::size_t n = 8;
  for (char c : wanted_.text().substr(0, 64)) label[n++] = c == '\n' ? ' ' : c;
  for (char c : std::string_view("': ")) label[n++] = c;
  screen_.draw({label, n}, text_.text(), cursor_);
}

LineEditor::Event LineEditor::feed(std::uint8_t byte) {
  const Key k = keys_.feed(byte);
  if (k.kind == Kind::kNone) return Event::kNone;
  if (searching_ && search_key(k)) return Event::kNone;
  shown_ = false;
  const Event event = key(k);
  if (event == Event::kNone && !shown_) redraw();
  return event;
}

void LineEditor::interrupt() {
  searching_ = false;
  screen_.leave();
  text_.clear();
  cursor_ = 0;
}

LineEditor::Event LineEditor::key(const Key& k) {
  switch (k.kind) {
    case Kind::kText:
      insert(k.bytes);
      break;
    case Kind::kControl:
      return control(k.letter);
    case Kind::kAlt:
      alt(k.letter);
      break;
    case Kind::kAltEnter:
      insert("\n");
      break;
    case Kind::kBackspace:
      erase(previous(cursor_), cursor_);
      break;
    case Kind::kDelete:
      erase(cursor_, next(cursor_));
      break;
    case Kind::kLeft:
      cursor_ = previous(cursor_);
      break;
    case Kind::kRight:
      cursor_ = next(cursor_);
      break;
    case Kind::kHome:
      cursor_ = line_start();
      break;
    case Kind::kEnd:
      cursor_ = line_end();
      break;
    case Kind::kWordLeft:
      cursor_ = word_left();
      break;
    case Kind::kWordRight:
      cursor_ = word_right();
      break;
    case Kind::kAltBackspace:
      cut(word_left(), cursor_);
      break;
    case Kind::kUp:
      up();
      break;
    case Kind::kDown:
      down();
      break;
    case Kind::kNone:
      break;
  }
  return Event::kNone;
}

LineEditor::Event LineEditor::control(char letter) {
  switch (letter) {
    case 'M':
      return enter();
    case 'I':
      complete_name();
      break;
    case 'C':
      interrupt();
      return Event::kInterrupted;
    case 'D':
      if (text_.empty()) {
        screen_.leave();
        return Event::kEndOfInput;
      }
      erase(cursor_, next(cursor_));
      break;
    case 'A':
      cursor_ = line_start();
      break;
    case 'E':
      cursor_ = line_end();
      break;
    case 'B':
      cursor_ = previous(cursor_);
      break;
    case 'F':
      cursor_ = next(cursor_);
      break;
    case 'K':
      // At the end of a line the line break itself goes.
      cut(cursor_, line_end() == cursor_ ? next(cursor_) : line_end());
      break;
    case 'L':
      screen_.clear_all();
      break;
    case 'N':
      down();
      break;
    case 'P':
      up();
      break;
    case 'R':
      searching_ = true;
      wanted_.clear();
      found_age_ = 0;
      break;
    case 'T':
      transpose();
      break;
    case 'U':
      cut(line_start(), cursor_);
      break;
    case 'W':
      cut(word_left(), cursor_);
      break;
    case 'Y':
      insert(cut_.text());
      break;
    default:
      break;
  }
  return Event::kNone;
}

void LineEditor::alt(char letter) {
  if (letter == 'd') cut(cursor_, word_right());
  if (letter == '<') recall(history_.count() - 1);
}

LineEditor::Event LineEditor::enter() {
  if (!host_.complete(text_.text())) {
    insert("\n");
    return Event::kNone;
  }
  screen_.leave();
  if (remember_ == Remember::kYes) history_.add(text_.text());
  return Event::kSubmitted;
}

// --- Changing the text ----------------------------------------------------------------------

void LineEditor::insert(std::string_view bytes) {
  if (!text_.insert(cursor_, bytes)) return;
  const bool at_end = cursor_ + bytes.size() == text_.size();
  const bool one = bytes.size() != 0 && next(cursor_) == cursor_ + bytes.size();
  cursor_ += bytes.size();
  shown_ = at_end && one && !searching_ && screen_.append(bytes);
}

void LineEditor::erase(std::size_t from, std::size_t to) {
  text_.erase(from, to);
  cursor_ = from;
}

void LineEditor::cut(std::size_t from, std::size_t to) {
  if (from == to) return;
  cut_.clear();
  // Without memory the cut text cannot be pasted; cutting itself works.
  (void)cut_.append(text_.text().substr(from, to - from));
  erase(from, to);
}

// The names are shown above the line, as they would otherwise hide behind it.
void LineEditor::complete_name() {
  std::size_t start = cursor_;
  while (start != 0 && is_word(text_[start - 1])) --start;
  if (start == cursor_) return insert("  ");
  Candidates candidates(text_.text().substr(start, cursor_ - start));
  host_.find_names(candidates);
  if (!candidates.extension().empty()) return insert(candidates.extension());
  if (candidates.count() < 2) return;
  ByteBuffer list;
  if (!candidates.layout(host_.columns(), list)) return;
  screen_.leave();
  for (std::string_view rest = list.text(); !rest.empty();) {  // the terminal is in raw mode
    const std::size_t end = rest.find('\n');
    host_.write(rest.substr(0, end));
    host_.write("\r\n");
    rest.remove_prefix(end + 1);
  }
  screen_.forget();
}

void LineEditor::transpose() {
  const std::size_t middle = cursor_ == text_.size() ? previous(cursor_) : cursor_;
  const std::size_t from = previous(middle);
  const std::size_t to = next(middle);
  if (from == middle || middle == to) return;
  char* bytes = reinterpret_cast<char*>(text_.data());
  std::rotate(bytes + from, bytes + middle, bytes + to);
  cursor_ = to;
}

void LineEditor::replace(std::string_view text) {
  text_.clear();
  (void)text_.append(text);
  cursor_ = text_.size();
}

// --- History --------------------------------------------------------------------------------

void LineEditor::recall(std::size_t age) {
  if (age >= history_.count()) return;
  if (age_ == kNotInHistory) {
    draft_.clear();
    (void)draft_.append(text_.text());
  }
  age_ = age;
  replace(history_.entry(age));
}

void LineEditor::up() {
  const std::size_t start = line_start();
  if (start == 0) return recall(age_ + 1);  // kNotInHistory + 1 == 0: the newest
  const std::size_t column = cursor_ - start;
  cursor_ = start - 1;
  cursor_ = std::min(line_start() + column, cursor_);
  while (cursor_ != 0 && continues_code_point(text_[cursor_])) --cursor_;
}

void LineEditor::down() {
  const std::size_t end = line_end();
  if (end != text_.size()) {
    const std::size_t column = cursor_ - line_start();
    cursor_ = end + 1;
    cursor_ = std::min(cursor_ + column, line_end());
    while (cursor_ < text_.size() && continues_code_point(text_[cursor_])) --cursor_;
    return;
  }
  if (age_ == kNotInHistory) return;
  if (age_ != 0) return recall(age_ - 1);
  age_ = kNotInHistory;
  replace(draft_.text());
}

void LineEditor::search(std::size_t from_age) {
  const std::size_t age = history_.find(wanted_.text(), from_age);
  if (age == history_.count()) return;
  found_age_ = age;
  recall(age);
}

// True when the key belonged to the search; any other key ends it and is done as usual.
bool LineEditor::search_key(const Key& k) {
  if (k.kind == Kind::kText) {
    if (wanted_.append(k.bytes)) search(found_age_);
  } else if (k.kind == Kind::kBackspace) {
    std::size_t last = wanted_.size();
    while (last != 0 && continues_code_point(wanted_[last - 1])) --last;
    wanted_.erase(last == 0 ? 0 : last - 1, wanted_.size());
    search(0);
  } else if (k.kind == Kind::kControl && k.letter == 'R') {
    search(found_age_ + 1);
  } else {
    searching_ = false;
    redraw();
    return k.kind == Kind::kControl && k.letter == 'G';
  }
  redraw();
  return true;
}

// --- Places in the text -----------------------------------------------------------------------

std::size_t LineEditor::previous(std::size_t at) const {
  if (at == 0) return 0;
  do {
    --at;
  } while (at != 0 && continues_code_point(text_[at]));
  return at;
}

std::size_t LineEditor::next(std::size_t at) const {
  if (at == text_.size()) return at;
  do {
    ++at;
  } while (at < text_.size() && continues_code_point(text_[at]));
  return at;
}

std::size_t LineEditor::word_left() const {
  std::size_t at = cursor_;
  while (at != 0 && !is_word(text_[at - 1])) --at;
  while (at != 0 && is_word(text_[at - 1])) --at;
  return at;
}

std::size_t LineEditor::word_right() const {
  std::size_t at = cursor_;
  while (at < text_.size() && !is_word(text_[at])) ++at;
  while (at < text_.size() && is_word(text_[at])) ++at;
  return at;
}

std::size_t LineEditor::line_start() const {
  return cursor_ == 0 ? 0 : text_.text().rfind('\n', cursor_ - 1) + 1;
}

std::size_t LineEditor::line_end() const {
  const std::size_t at = text_.text().find('\n', cursor_);
  return at == std::string_view::npos ? text_.size() : at;
}

}  // namespace lona::vm
