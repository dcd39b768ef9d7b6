// SPDX-License-Identifier: BSD-2-Clause
// Strings, characters, numbers, symbols and keywords.
#include <algorithm>

#include "vm/data/string.hpp"
#include "vm/data/utf8.hpp"
#include "vm/number/text.hpp"
#include "vm/reader/reader.hpp"
#include "vm/reader/template.hpp"

namespace lona::vm {

namespace {

bool ends_token(char c) {
  switch (c) {
    case ' ':
    case '\n':
    case '\t':
    case '\r':
    case '\f':
    case '\v':
    case ',':
    case '(':
    case ')':
    case '[':
    case ']':
    case '{':
    case '}':
    case '"':
    case ';':
    case '`':
    case '~':
    case '^':
    case '@':
    case '\\':
      return true;
    default:
      return false;
  }
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c | 32) >= 'a' && (c | 32) <= 'z';
}

bool in_symbol(char c) {
  if (is_digit(c) || is_letter(c) || static_cast<unsigned char>(c) >= 0x80) return true;
  return std::string_view("*+!-_'?<>=/.&%$|#:").find(c) != std::string_view::npos;
}

// 0 to 35, or 36 when it is no digit of any base.
unsigned digit_value(char c) {
  if (is_digit(c)) return static_cast<unsigned>(c - '0');
  if (is_letter(c)) return static_cast<unsigned>((c | 32) - 'a') + 10;
  return 36;
}

// Hexadecimal digits at the start of `text`, as many as there are up to `most`.
struct Hex {
  std::uint32_t value;
  std::size_t digits;
};
Hex hex(std::string_view text, std::size_t most) {
  Hex h{0, 0};
  while (h.digits < most && h.digits < text.size() && digit_value(text[h.digits]) < 16) {
    h.value = h.value << 4 | digit_value(text[h.digits++]);
  }
  return h;
}

// What stands behind a backslash in a string; bytes is 0 when it means nothing.
utf8::Decoded escape(std::string_view text) {
  switch (text.empty() ? '\0' : text[0]) {
    case 'n':
      return {'\n', 1};
    case 't':
      return {'\t', 1};
    case 'r':
      return {'\r', 1};
    case '\\':
      return {'\\', 1};
    case '"':
      return {'"', 1};
    case 'u':
      break;
    default:
      return {0, 0};
  }
  Hex h = hex(text.substr(1), 4);
  if (h.digits != 4) return {0, 0};
  if (utf8::is_scalar(h.value)) return {h.value, 5};
  // Code points above U+FFFF may be written as the two halves UTF-16 makes of them.
  std::string_view behind = text.substr(5);
  if (h.value >= 0xdc00 || !behind.starts_with("\\u")) return {0, 0};
  Hex low = hex(behind.substr(2), 4);
  if (low.digits != 4 || low.value < 0xdc00 || low.value > 0xdfff) return {0, 0};
  return {0x10000 + ((h.value - 0xd800) << 10) + (low.value - 0xdc00), 11};
}

}  // namespace

bool Reader::read_string() {
  Position at = position();
  Term string;
  return scan_string(string) && deliver(string, at);
}

bool Reader::scan_string(Term& string) {
  Position at = position();
  std::string_view body = text_.substr(at_ + 1);
  // First how long it is and where it ends, then the bytes.
  std::size_t end = 0, bytes = 0, count = 0;
  bool bad = false;
  while (end < body.size() && body[end] != '"') {
    if (body[end] == '\\') {
      utf8::Decoded e = escape(body.substr(end + 1));
      if (e.bytes == 0) {
        bad = true;
        e = {0, end + 1 < body.size() ? 1u : 0u};
      }
      end += 1 + e.bytes;
      bytes += utf8::encoded_size(e.code_point);
      count++;
    } else {
      count += !utf8::is_continuation(body[end]);
      bytes++;
      end++;
    }
  }
  if (end >= body.size()) {
    advance(text_.size() - at_);
    return fail_end("the text ends inside of the string that begins here", at);
  }
  advance(end + 2);
  if (bad) return fail("invalid-escape", "an unknown escape sequence in a string", at);
  NewString s = allocate_string(heap_, bytes, count);
  if (s.text == nullptr) return fail("oom", "no memory left", at);
  char* out = s.text;
  for (std::size_t i = 0; i < end;) {
    if (body[i] == '\\') {
      utf8::Decoded e = escape(body.substr(i + 1));
      out += utf8::encode(e.code_point, out);
      i += 1 + e.bytes;
    } else {
      *out++ = body[i++];
    }
  }
  string = s.term;
  return true;
}

bool Reader::read_character() {
  Position at = position();
  advance(1);
  if (at_end()) return fail_end("the text ends behind a backslash", at);
  utf8::Decoded first = utf8::decode(text_.substr(at_));
  std::string_view token = text_.substr(at_, first.bytes);
  char c = token[0];
  if (is_letter(c) || is_digit(c) ||
      (first.code_point >= 0x80 && !utf8::is_space(first.code_point))) {
    token = take_token();
  } else {
    advance(first.bytes);
  }
  if (token.size() == first.bytes) return deliver(Term::character(first.code_point), at);
  struct Named {
    std::string_view name;
    std::uint32_t code_point;
  };
  for (Named n :
       {Named{"newline", '\n'}, Named{"space", ' '}, Named{"tab", '\t'}, Named{"return", '\r'}}) {
    if (token == n.name) return deliver(Term::character(n.code_point), at);
  }
  if (token[0] == 'u') {
    Hex h = hex(token.substr(1), 6);
    if (h.digits >= 4 && h.digits + 1 == token.size() && utf8::is_scalar(h.value)) {
      return deliver(Term::character(h.value), at);
    }
  }
  return fail("invalid-character", "no character has this name", at);
}

std::string_view Reader::take_token() {
  std::size_t end = at_;
  while (end < text_.size() && !ends_token(text_[end])) {
    if (static_cast<unsigned char>(text_[end]) < 0x80) {
      end++;
      continue;
    }
    utf8::Decoded d = utf8::decode(text_.substr(end));
    if (utf8::is_space(d.code_point)) break;
    end += d.bytes;
  }
  std::string_view token = text_.substr(at_, end - at_);
  advance(token.size());
  return token;
}

bool Reader::read_token() {
  Position at = position();
  if (!frames_.empty() && frames_.top().shape == Shape::kBytes) {
    std::string_view part;
    return take_segment_part(part) ? read_token(part, at)
                                   : fail("invalid-bits", "a value is missing here", at);
  }
  return read_token(take_token(), at);
}

bool Reader::read_token(std::string_view token, Position at) {
  bool sign = token.size() > 1 && (token[0] == '+' || token[0] == '-');
  if (is_digit(token[sign])) return deliver_number(read_number(heap_, token), at);
  if (!is_name(token, at)) return false;
  if (token[0] == '%' && anonymous_.active) return read_placeholder(token, at);
  return read_symbol(token, at);
}

bool Reader::deliver_number(const ReadNumber& number, Position at) {
  if (number.error != nullptr) return fail(number.error, number.message, at);
  return deliver(number.value, at);
}

bool Reader::read_symbol(std::string_view token, Position at) {
  if (token == "nil") return deliver(Term::nil(), at);
  if (token == "true") return deliver(Term::true_(), at);
  if (token == "false") return deliver(Term::false_(), at);
  bool keyword = token[0] == ':';
  std::string_view full = token.substr(keyword);
  if (full.empty() || full[0] == ':') {
    return fail("invalid-token", "a keyword without a name", at);
  }
  // "ns/name", "name", "/" or "ns//": a slash is either the separator or the whole name.
  if (full != "/") {
    std::size_t slash = full.find('/');
    if (slash != full.npos) {
      std::string_view name = full.substr(slash + 1);
      if (slash == 0 || name.empty() || (name != "/" && name.find('/') != name.npos)) {
        return fail("invalid-token", "a name with a slash in the wrong place", at);
      }
    }
  }
  SymbolEntry* entry = intern_name(full, at);
  return entry != nullptr && deliver(keyword ? Term::keyword(entry) : Term::symbol(entry), at);
}

bool Reader::is_name(std::string_view text, Position at) {
  return std::ranges::all_of(text, in_symbol) ||
         fail("invalid-token", "a character that is part of no form", at);
}

SymbolEntry* Reader::intern_name(std::string_view name, Position at) {
  if (SymbolEntry* entry = try_intern(name)) return entry;
  if (name.size() > kMaxNameBytes) {
    fail("invalid-token", "a name of this length", at);
  } else if (number_is_taken(name)) {
    fail("name-taken", "another name has the number of this one", at);
  } else {
    fail("oom", "no memory left", at);
  }
  return nullptr;
}

bool Reader::read_placeholder(std::string_view token, Position at) {
  std::uint32_t number = 1;
  if (token == "%&") {
    anonymous_.rest = true;
    return deliver(make_symbol(token), at);
  }
  if (token == "%") {
    anonymous_.plain = true;
  } else {
    number = 0;
    for (char c : token.substr(1)) {
      number = is_digit(c) && number <= kMaxPlaceholder ? number * 10 + digit_value(c) : 1000;
    }
    if (number == 0 || number > kMaxPlaceholder) {
      return fail("invalid-token", "placeholders are %, %1 to %20 and %&", at);
    }
    anonymous_.numbered = anonymous_.numbered || number == 1;
  }
  if (anonymous_.plain && anonymous_.numbered) {
    return fail("mixed-placeholders", "% and %1 in one #(…)", at);
  }
  if (number > anonymous_.highest) anonymous_.highest = number;
  return deliver(placeholder(number), at);
}

}  // namespace lona::vm
