// SPDX-License-Identifier: BSD-2-Clause
#include "vm/data/string.hpp"

#include <cstring>

#include "vm/data/pool.hpp"

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

namespace {

Term make_text(Heap& heap, Term blob, const char* text, std::size_t bytes, std::size_t count) {
  Word* p = heap.alloc_box(Kind::kText, 4);
  p[1] = bytes;
  p[2] = count;
  p[3] = reinterpret_cast<Word>(text);
  p[4] = blob.bits();
  return Term::boxed(p);
}

}  // namespace

NewString allocate_text(Heap& heap, std::size_t bytes, std::size_t count) {
  if (bytes < kPoolText) return allocate_string(heap, bytes, count);
  PoolBytes pool = pool_allocate(heap, bytes);
  if (pool.bytes == nullptr) return {Term::absent(), nullptr};
  return {make_text(heap, pool.blob, pool.bytes, bytes, count), pool.bytes};
}

NewString extend_text(Heap& heap, Term s, std::size_t bytes, std::size_t count) {
  std::string_view old = string_text(s);
  std::size_t new_bytes = old.size() + bytes, new_count = string_count(s) + count;
  if (new_bytes < kPoolText) {
    NewString n = allocate_string(heap, new_bytes, new_count);
    if (n.text == nullptr) return n;
    if (!old.empty()) std::memcpy(n.text, old.data(), old.size());
    return {n.term, n.text + old.size()};
  }
  Term blob = is_kind(s, Kind::kText) ? slot(s, 3) : Term::nil();
  PoolBytes pool = pool_extend(heap, blob, old.data(), old.size(), bytes);
  if (pool.bytes == nullptr) return {Term::absent(), nullptr};
  return {make_text(heap, pool.blob, pool.bytes, new_bytes, new_count), pool.bytes + old.size()};
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

Term substring(Heap& heap, Term s, std::size_t begin, std::size_t end, std::size_t count) {
  std::string_view piece = string_text(s).substr(begin, end - begin);
  if (piece.size() == string_bytes(s)) return s;
  if (is_kind(s, Kind::kText) && piece.size() >= kPoolText) {
    return make_text(heap, slot(s, 3), piece.data(), piece.size(), count);
  }
  NewString r = allocate_string(heap, piece.size(), count);
  if (r.text != nullptr && !piece.empty()) std::memcpy(r.text, piece.data(), piece.size());
  return r.term;
}

}  // namespace lona::vm
