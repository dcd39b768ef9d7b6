// SPDX-License-Identifier: BSD-2-Clause
#include "vm/data/string.hpp"

#include <cstring>

namespace lona::vm {

NewString allocate_string(Heap& heap, std::size_t bytes, std::size_t count) {
  std::size_t words = 2 + (bytes + 7) / 8;
  Word* p = words < Heap::kLargeWords ? heap.alloc(words + 1) : heap.try_alloc(words + 1);
  if (p == nullptr) return {Term::absent(), nullptr};
  p[0] = Header::make(Kind::kString, words).bits();
  p[1] = bytes;
  p[2] = count;
  if (words > 2) p[words] = 0;  // the padding: equal strings are equal words
  return {Term::boxed(p), reinterpret_cast<char*>(p + 3)};
}

Term make_string(Heap& heap, std::string_view text) {
  NewString s = allocate_string(heap, text.size(), utf8::count(text));
  if (s.text != nullptr && !text.empty()) std::memcpy(s.text, text.data(), text.size());
  return s.term;
}

Term make_string_repaired(Heap& heap, std::string_view bytes) {
  if (utf8::valid_prefix(bytes) == bytes.size()) return make_string(heap, bytes);
  NewString s = allocate_string(heap, utf8::repaired_size(bytes), 0);
  if (s.text == nullptr) return s.term;
  utf8::repair(bytes, s.text);
  payload(s.term)[1] = utf8::count(string_text(s.term));
  return s.term;
}

Term substring(Heap& heap, Term s, std::size_t begin, std::size_t end) {
  std::string_view text = string_text(s);
  std::size_t count = string_count(s);
  if (begin == 0 && end == count) return s;
  std::size_t first = begin, last = end;
  if (text.size() != count) {
    first = utf8::offset_of(text, begin);
    last = first + utf8::offset_of(text.substr(first), end - begin);
  }
  NewString r = allocate_string(heap, last - first, end - begin);
  if (r.text != nullptr && last > first) std::memcpy(r.text, text.data() + first, last - first);
  return r.term;
}

}  // namespace lona::vm
