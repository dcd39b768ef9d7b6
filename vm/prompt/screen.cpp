// SPDX-License-Identifier: BSD-2-Clause
#include "vm/prompt/screen.hpp"

#include <cstddef>

namespace lona::vm {

namespace {

struct CodePoint {
  std::uint32_t value;
  std::size_t bytes;
};

// The text is valid UTF-8 (KeyDecoder saw to that) or comes from a history of such texts.
CodePoint decode(std::string_view text) {
  const auto lead = static_cast<std::uint8_t>(text[0]);
  const std::size_t bytes = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (bytes == 1 || bytes > text.size()) return {lead, 1};
  std::uint32_t value = lead & (0x7fu >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    value = value << 6 | (static_cast<std::uint8_t>(text[i]) & 0x3fu);
  }
  return {value, bytes};
}

struct Range {
  std::uint32_t first, last;
};

// Unicode's East Asian Width W and F, in the coarse blocks that matter on terminals.
constexpr Range kWide[] = {
    {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0x4dbf},  {0x4e00, 0xa4cf}, {0xac00, 0xd7a3},
    {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},  {0xffe0, 0xffe6}, {0x1f300, 0x1f64f},
    {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};
constexpr Range kZero[] = {{0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},
                           {0x200b, 0x200f}, {0x20d0, 0x20f0}, {0xfe00, 0xfe0f}};

}  // namespace

unsigned display_width(std::uint32_t code_point) {
  if (code_point < 0x300) return 1;
  for (Range r : kZero) {
    if (code_point >= r.first && code_point <= r.last) return 0;
  }
  for (Range r : kWide) {
    if (code_point >= r.first && code_point <= r.last) return 2;
  }
  return 1;
}

void Screen::number(char final, unsigned n) {
  char text[16] = "\x1b[";
  unsigned length = 2;
  unsigned divisor = 1;
  while (n / divisor >= 10) divisor *= 10;
  for (; divisor != 0; divisor /= 10) {
    text[length++] = static_cast<char>('0' + n / divisor % 10);
  }
  text[length++] = final;
  out_.write({text, length});
}

void Screen::move(Position to) {
  if (at_.row > to.row) number('A', at_.row - to.row);
  if (at_.row < to.row) number('B', to.row - at_.row);
  if (at_.column != to.column) {
    out_.write("\r");
    if (to.column != 0) number('C', to.column);
  }
  at_ = to;
}

// Writes bytes from at_ on; `marked` becomes the position of the byte at offset `cursor`.
void Screen::put(std::string_view bytes, unsigned indent, std::size_t cursor, Position& marked) {
  const unsigned columns = out_.columns() < 8 ? 8 : out_.columns();
  std::size_t i = 0;
  std::size_t written = 0;
  const auto new_row = [&](std::size_t from) {
    out_.write(bytes.substr(written, i - written));
    out_.write("\r\n");
    written = from;
    at_ = {at_.row + 1, 0};
  };
  while (i < bytes.size()) {
    const CodePoint c = decode(bytes.substr(i));
    const unsigned width = display_width(c.value);
    if (c.value != '\n' && at_.column + width > columns) new_row(i);
    if (i == cursor) marked = at_;
    if (c.value == '\n') {
      new_row(i + 1);
      for (; at_.column < indent && at_.column < columns - 1; ++at_.column) out_.write(" ");
    } else {
      at_.column += width;
    }
    i += c.bytes;
  }
  if (at_.column >= columns) new_row(i);
  out_.write(bytes.substr(written));
  if (cursor == bytes.size()) marked = at_;
}

void Screen::draw(std::string_view prompt, std::string_view text, std::size_t cursor) {
  move({});
  out_.write("\r\x1b[J");
  Position marked;
  put(prompt, 0, std::string_view::npos, marked);
  put(text, at_.column, cursor, marked);
  end_ = at_;
  move(marked);
}

bool Screen::append(std::string_view added) {
  const bool at_end = at_.row == end_.row && at_.column == end_.column;
  const unsigned width = display_width(decode(added).value);
  if (!at_end || at_.column + width >= out_.columns() || added == "\n") return false;
  out_.write(added);
  at_.column += width;
  end_ = at_;
  return true;
}

void Screen::leave() {
  move(end_);
  out_.write("\r\n");
  forget();
}

void Screen::erase() {
  move({});
  out_.write("\r\x1b[J");
  forget();
}

void Screen::clear_all() {
  out_.write("\x1b[H\x1b[2J");
  forget();
}

}  // namespace lona::vm
