// SPDX-License-Identifier: BSD-2-Clause
// Binaries: #bytes[…], #bytes"…" and #bits[…].
//
// Bytes that are all numbers are a binary. Everything else is a list (lona.core/bits segment …),
// which is a pattern in match and builds a binary elsewhere. A segment `value:size/modifier/…` is
// read as the tuple [value size :modifier …], with nil for a size that is not given; a value alone
// stays as it is.
#include <cstring>

#include "vm/data/binary.hpp"
#include "vm/data/sequence.hpp"
#include "vm/data/string.hpp"
#include "vm/reader/reader.hpp"

namespace lona::vm {

namespace {
constexpr std::size_t kMaxModifiers = 4;
}

bool Reader::read_binary() {
  Position at = position();
  std::string_view rest = text_.substr(at_);
  for (std::string_view opening : {"#bytes[", "#bits["}) {
    if (rest.starts_with(opening)) return open(Shape::kBytes, opening.size());
  }
  advance(1);
  std::string_view token = take_token();
  if (!at_end() && peek() == '"') {
    if (token == "bytes") return read_literal_bytes("utf-8", at);
    if (token.starts_with("bytes/")) return read_literal_bytes(token.substr(6), at);
  }
  return fail("invalid-token", "# begins no form that is known", at);
}

// The string that begins here, as bytes.
bool Reader::read_literal_bytes(std::string_view encoding, Position at) {
  bool latin1 = encoding == "latin1", ascii = encoding == "ascii";
  if (!latin1 && !ascii && encoding != "utf-8") {
    take_token();
    return fail("invalid-token", "bytes are written in ascii, latin1 or utf-8", at);
  }
  Term string;
  if (!scan_string(string)) return false;
  std::string_view text = string_text(string);
  NewBinary b = allocate_binary(heap_, latin1 ? string_count(string) : text.size());
  if (b.bytes == nullptr) return fail("oom", "no memory left", at);
  if (!latin1 && !text.empty()) std::memcpy(b.bytes, text.data(), text.size());
  if (ascii && string_count(string) != text.size()) {
    return fail("invalid-ascii", "a character that ASCII does not have", at);
  }
  for (std::size_t i = 0, n = 0; latin1 && i < text.size(); n++) {
    utf8::Decoded d = utf8::decode(text.substr(i));
    if (d.code_point > 0xff) {
      return fail("invalid-latin1", "a character that Latin-1 does not have", at);
    }
    b.bytes[n] = static_cast<std::uint8_t>(d.code_point);
    i += d.bytes;
  }
  return deliver(b.term, at);
}

// A value, size or modifier: what a token would be, but up to the next : or /.
bool Reader::take_segment_part(std::string_view& part) {
  std::size_t start = at_;
  std::string_view token = take_token();
  std::size_t end = token.find_first_of(":/", 1);
  if (end != token.npos) {
    column_ -= static_cast<std::uint32_t>(utf8::count(token.substr(end)));
    at_ = start + end;
    token = token.substr(0, end);
  }
  part = token;
  return !token.empty() && token[0] != ':' && token[0] != '/';
}

// The value of a segment, or its size, is on the stack: reads what belongs to it and follows it.
bool Reader::read_segment(Position at) {
  Frame& frame = frames_.top();
  Term value = values_.top();
  if (frame.size_due) {
    frame.size_due = false;
    Term size = value;
    values_.pop();
    value = values_.top();
    values_.pop();
    return read_modifiers(value, size, at);
  }
  if (at_end() || (peek() != ':' && peek() != '/')) return true;
  if (peek() == '/') {
    values_.pop();
    return read_modifiers(value, Term::nil(), at);
  }
  advance(1);
  frame.size_due = true;
  if (at_end() || peek() == '(') return true;
  Position size_at = position();
  std::string_view part;
  if (!take_segment_part(part)) return fail("invalid-bits", "a size is missing behind :", size_at);
  return read_token(part, size_at);
}

bool Reader::read_modifiers(Term value, Term size, Position at) {
  Term parts[2 + kMaxModifiers] = {value, size};
  std::size_t n = 2;
  while (!at_end() && peek() == '/') {
    advance(1);
    const Position part_at = position();
    std::string_view part;
    if (n == 2 + kMaxModifiers || !take_segment_part(part)) {
      return fail("invalid-bits", "a modifier is missing behind /", part_at);
    }
    SymbolEntry* entry = is_name(part, part_at) ? intern_name(part, part_at) : nullptr;
    if (entry == nullptr) return false;
    parts[n++] = Term::keyword(entry);
  }
  Term segment = make_tuple(heap_, {parts, n});
  remember(segment, at);
  return values_.push(segment) || fail("oom", "no memory left", at);
}

Term Reader::build_binary(std::span<const Term> elements) {
  bool literal = true;
  for (Term t : elements) {
    literal = literal && t.is_integer() && t.as_integer() >= 0 && t.as_integer() <= 0xff;
  }
  if (!literal) {
    Term segments = make_list(heap_, elements);
    if (segments == Term::absent()) return segments;
    return heap_.cons(make_symbol("lona.core/bits"), segments);
  }
  NewBinary b = allocate_binary(heap_, elements.size());
  if (b.bytes == nullptr) return b.term;
  for (Term t : elements) *b.bytes++ = static_cast<std::uint8_t>(t.as_integer());
  return b.term;
}

}  // namespace lona::vm
