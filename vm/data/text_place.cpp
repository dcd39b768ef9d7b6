// SPDX-License-Identifier: BSD-2-Clause
#include "vm/data/text_place.hpp"

namespace lona::vm {

TextPlaces::Found TextPlaces::find(Term s, std::size_t index, std::uint64_t owner,
                                   std::uint64_t age) {
  std::string_view text = string_text(s);
  std::size_t count = string_count(s);
  if (text.size() == count) return {index, 0};
  if (text.size() < kLong) return {utf8::offset_of(text, index), text.size()};
  Entry& e = entries_[owner % kEntries];
  if (e.text != text.data() || e.bytes != text.size() || e.owner != owner || e.age != age) {
    e = {text.data(), text.size(), owner, age, {}};
  }
  // Three places are known: the last one, the start and the end.
  utf8::Place from = e.place;
  auto distance = [](std::size_t a, std::size_t b) { return a < b ? b - a : a - b; };
  if (index < distance(index, from.index)) from = {};
  if (count - index < distance(index, from.index)) from = {count, text.size()};
  e.place = {index, utf8::offset_from(text, from, index)};
  return {e.place.offset, distance(e.place.offset, from.offset)};
}

}  // namespace lona::vm
