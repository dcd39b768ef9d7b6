// SPDX-License-Identifier: BSD-2-Clause
#include "vm/printer/pretty.hpp"

#include "vm/data/map.hpp"
#include "vm/data/sequence.hpp"
#include "vm/data/string.hpp"
#include "vm/data/vector.hpp"
#include "vm/term/symbol.hpp"

namespace lona::vm {

namespace {

constexpr std::size_t kTooWide = ~std::size_t{0};

// Counts characters, and refuses once there are more than `most`.
class WidthSink final : public Sink {
 public:
  explicit WidthSink(std::size_t most) : Sink(&WidthSink::put), most_(most) {}
  std::size_t width() const { return width_; }

 private:
  static bool put(Sink& self, std::string_view text) {
    auto& s = static_cast<WidthSink&>(self);
    s.width_ += utf8::count(text);
    return s.width_ <= s.most_;
  }
  std::size_t most_;
  std::size_t width_ = 0;
};

// The width of a value on one line; kTooWide above `most`.
std::size_t width_of(Term t, std::size_t most) {
  WidthSink sink(most);
  return print(sink, t) ? sink.width() : kTooWide;
}

// Native recursion, which `most_depth` bounds.
class Pretty {
 public:
  Pretty(Sink& sink, const Layout& layout) : sink_(sink), layout_(layout) {}

  // Prints a value that starts at `column`; `tail` closing brackets follow on its last line.
  bool value(Term t, std::size_t column, std::size_t tail);

 private:
  bool put(std::string_view text) { return sink_.write(text); }
  bool new_line(std::size_t indent);
  bool string(Term t);
  bool list(Term t, std::size_t column, std::size_t tail);
  bool call(Term t, std::size_t column, std::size_t tail);
  bool map(Term t, std::size_t column, std::size_t tail);
  // The elements that `next` gives, as many to a line as fit.
  template <typename NextElement>
  bool fill(std::string_view open, std::string_view close, std::size_t column, std::size_t tail,
            NextElement next);
  std::size_t room(std::size_t column, std::size_t tail) const {
    return column + tail < layout_.columns ? layout_.columns - column - tail : 0;
  }

  Sink& sink_;
  const Layout& layout_;
  std::size_t lines_ = 1;
  std::size_t depth_ = 0;
};

bool Pretty::new_line(std::size_t indent) {
  lines_++;
  if (!put("\n")) return false;
  constexpr std::string_view kSpaces = "                                ";
  for (; indent > kSpaces.size(); indent -= kSpaces.size()) {
    if (!put(kSpaces)) return false;
  }
  return put(kSpaces.substr(0, indent));
}

bool Pretty::string(Term t) {
  const std::string_view text = string_text(t);
  const std::size_t all = utf8::count(text);
  if (all <= layout_.most_characters) return print(sink_, t);
  std::size_t end = 0;
  for (std::size_t n = 0; n < layout_.most_characters; ++n)
    end += utf8::decode(text.substr(end)).bytes;
  return print_quoted(sink_, text.substr(0, end)) && put("…");
}

template <typename NextElement>
bool Pretty::fill(std::string_view open, std::string_view close, std::size_t column,
                  std::size_t tail, NextElement next) {
  if (!put(open)) return false;
  const std::size_t indent = column + open.size();
  std::size_t at = indent;
  bool may_share = true;  // the next element may stand on this line
  Term element;
  for (std::size_t i = 0; next(element); ++i) {
    const bool enough = i == layout_.most_elements || lines_ >= layout_.most_lines;
    const std::size_t width = enough ? 1 : width_of(element, room(indent, tail + 1));
    const bool fits = width != kTooWide && at + 1 + width + tail + 1 <= layout_.columns;
    if (i != 0) {
      if (may_share && fits) {
        if (!put(" ")) return false;
        at++;
      } else {
        if (!new_line(indent)) return false;
        at = indent;
      }
    }
    if (enough) {
      if (!put("…")) return false;
      break;
    }
    if (width == kTooWide) {
      if (!value(element, at, tail + 1)) return false;
      may_share = false;
    } else {
      if (!print(sink_, element)) return false;
      at += width;
      may_share = true;
    }
  }
  return put(close);
}

// Code: the head, what fits beside it, and everything else below, indented by two.
bool Pretty::call(Term t, std::size_t column, std::size_t tail) {
  if (!put("(") || !print(sink_, t.first())) return false;
  std::size_t at = column + 1 + width_of(t.first(), layout_.columns);
  bool may_share = true;
  std::size_t i = 0;
  for (Term rest = t.rest(); rest.is_pair(); rest = rest.rest(), ++i) {
    if (i == layout_.most_elements || lines_ >= layout_.most_lines) {
      if (!put(" …")) return false;
      break;
    }
    const std::size_t width = width_of(rest.first(), room(at, tail + 2));
    may_share = may_share && i < 2 && width != kTooWide && !rest.first().is_pair();
    if (may_share) {
      if (!put(" ") || !print(sink_, rest.first())) return false;
      at += 1 + width;
    } else if (!new_line(column + 2) || !value(rest.first(), column + 2, tail + 1)) {
      return false;
    }
  }
  return put(")");
}

bool Pretty::list(Term t, std::size_t column, std::size_t tail) {
  if (t.first().is_symbol()) return call(t, column, tail);
  return fill("(", ")", column, tail, [t](Term& element) mutable {
    if (!t.is_pair()) return false;
    element = t.first();
    t = t.rest();
    return true;
  });
}

// One entry to a line.
bool Pretty::map(Term t, std::size_t column, std::size_t tail) {
  if (!put("%{")) return false;
  const std::size_t indent = column + 2;
  std::size_t i = 0;
  for (MapCursor entry(t); !entry.done(); entry.next(), ++i) {
    if (i != 0 && !new_line(indent)) return false;
    if (i == layout_.most_elements || lines_ >= layout_.most_lines) {
      if (!put("…")) return false;
      break;
    }
    const std::size_t key = width_of(entry.key(), room(indent, tail + 2));
    if (!value(entry.key(), indent, 0) || !put(" ")) return false;
    const std::size_t at = indent + (key == kTooWide ? 2 : key + 1);
    if (!value(entry.value(), at, tail + 1)) return false;
  }
  return put("}");
}

bool Pretty::value(Term t, std::size_t column, std::size_t tail) {
  if (is_string(t)) return string(t);
  if (width_of(t, room(column, tail)) != kTooWide) return print(sink_, t);
  if (depth_ == layout_.most_depth) return put("…");
  depth_++;
  bool good;
  std::size_t i = 0;
  if (t.is_pair()) {
    good = list(t, column, tail);
  } else if (is_tuple(t)) {
    good = fill("[", "]", column, tail, [t, i](Term& element) mutable {
      if (i == tuple_count(t)) return false;
      element = slot(t, i++);
      return true;
    });
  } else if (is_vector(t)) {
    good = fill("{", "}", column, tail, [t, i](Term& element) mutable {
      if (i == vector_count(t)) return false;
      element = vector_get(t, i++);
      return true;
    });
  } else if (is_map(t)) {
    good = map(t, column, tail);
  } else if (is_set(t)) {
    good = fill("#{", "}", column, tail, [cursor = MapCursor(set_map(t))](Term& element) mutable {
      if (cursor.done()) return false;
      element = cursor.key();
      cursor.next();
      return true;
    });
  } else {
    good = print(sink_, t);
  }
  depth_--;
  return good;
}

}  // namespace

bool print_pretty(Sink& sink, Term value, const Layout& layout) {
  return Pretty(sink, layout).value(value, 0, 0);
}

// --- Colours -------------------------------------------------------------------------------------

namespace {

constexpr std::string_view kString = "\x1b[32m";   // green
constexpr std::string_view kKeyword = "\x1b[36m";  // cyan
constexpr std::string_view kNumber = "\x1b[33m";   // yellow
constexpr std::string_view kThing = "\x1b[35m";    // magenta
constexpr std::string_view kPlain = "\x1b[0m";

bool ends_token(char c) {
  return std::string_view(" \n()[]{}").contains(c);
}

}  // namespace

bool ColorSink::plain() {
  state_ = State::kBetween;
  if (!colored_) return true;
  colored_ = false;
  return below_.write(kPlain);
}

bool ColorSink::start_token(char c) {
  state_ = State::kToken;
  std::string_view color;
  if (c == '"') {
    state_ = State::kString;
    color = kString;
  } else if (c == ':') {
    color = kKeyword;
  } else if (c >= '0' && c <= '9') {
    color = kNumber;
  } else if (c == '<' && hash_) {
    state_ = State::kThing;
    color = kThing;
  } else if (c == '#') {
    state_ = State::kBetween;  // of a set, a var, a thing: the next character tells
  }
  hash_ = c == '#';
  colored_ = !color.empty();
  return !colored_ || below_.write(color);
}

bool ColorSink::character(std::string_view one) {
  const char c = one[0];
  if (state_ == State::kToken && ends_token(c) && !plain()) return false;
  if (state_ == State::kBetween && !ends_token(c)) return start_token(c) && below_.write(one);
  const State before = state_;
  if (before == State::kString && c == '\\') state_ = State::kEscape;
  if (before == State::kEscape) state_ = State::kString;
  const bool ends = (before == State::kString && c == '"') || (before == State::kThing && c == '>');
  return below_.write(one) && (!ends || plain());
}

bool ColorSink::put(Sink& self, std::string_view text) {
  auto& s = static_cast<ColorSink&>(self);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!s.character(text.substr(i, 1))) return false;
  }
  return true;
}

}  // namespace lona::vm
