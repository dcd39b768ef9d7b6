// SPDX-License-Identifier: BSD-2-Clause
// Any bytes become text, whose characters are where they are counted to be, and changes of case
// give text again. A libFuzzer program.
#include <cstdint>
#include <string>

#include "vm/data/string.hpp"
#include "vm/data/unicode.hpp"
#include "vm/data/utf8.hpp"
#include "vm/heap/arena.hpp"
#include "vm/platform/platform.hpp"

namespace lona::vm {
namespace {

void check(bool holds, const char* what) {
  if (!holds) platform::panic(what);
}

bool is_valid(std::string_view bytes) {
  return utf8::valid_prefix(bytes) == bytes.size();
}

std::string mapped(std::string_view text, unicode::Mapped (*map)(std::uint32_t)) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    utf8::Decoded d = utf8::decode(text.substr(at));
    unicode::Mapped m = map(d.code_point);
    check(m.count >= 1 && m.count <= unicode::Mapped::kMost, "a character becomes too many");
    for (unsigned i = 0; i < m.count; i++) {
      char bytes[4];
      out.append(bytes, utf8::encode(m.cp[i], bytes));
    }
    at += d.bytes;
  }
  check(is_valid(out), "another case of text is not text");
  return out;
}

void check_places(std::string_view text) {
  std::size_t at = 0, index = 0;
  for (; at < text.size(); index++) {
    check(utf8::offset_of(text, index) == at, "a character is not where it should be");
    utf8::Decoded d = utf8::decode(text.substr(at));
    char bytes[4];
    std::size_t size = utf8::encode(d.code_point, bytes);
    check(std::string_view(bytes, size) == text.substr(at, d.bytes), "not encoded as before");
    check(unicode::category(d.code_point).size() == 2, "a character without a class");
    at += d.bytes;
  }
  check(index == utf8::count(text), "counted wrongly");
}

void check_pieces(std::string_view text, std::size_t cut) {
  Arena arena;
  Term whole = make_string(arena, text);
  std::size_t count = string_count(whole);
  cut = count == 0 ? 0 : cut % (count + 1);
  std::size_t at = utf8::offset_of(text, cut);
  check(utf8::offset_from(text, {count, text.size()}, cut) == at, "other places backwards");
  check(utf8::offset_from(text, {cut, at}, count) == text.size(), "other places from within");
  Term front = substring(arena, whole, 0, at, cut);
  Term back = substring(arena, whole, at, text.size(), count - cut);
  check(string_count(front) == cut && string_count(back) == count - cut, "pieces of other lengths");
  std::string both(string_text(front));
  both += string_text(back);
  check(both == text, "pieces are not the whole");
}

void check_all(std::string_view bytes) {
  std::string text(utf8::repaired_size(bytes), '\0');
  utf8::repair(bytes, text.data());
  check(is_valid(text), "repaired bytes are no text");
  if (is_valid(bytes)) check(text == bytes, "text was changed by repairing it");
  check_places(text);
  check_pieces(text, bytes.size() * 7 / 3);
  std::string folded = mapped(text, unicode::fold_case);
  check(mapped(folded, unicode::fold_case) == folded, "folding twice gives something else");
  mapped(text, unicode::to_upper);
  mapped(text, unicode::to_lower);
  mapped(text, unicode::to_title);
}

}  // namespace
}  // namespace lona::vm

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lona::vm::check_all({reinterpret_cast<const char*>(data), size});
  return 0;
}
