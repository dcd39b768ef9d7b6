// SPDX-License-Identifier: BSD-2-Clause
// Strings: valid UTF-8 with its length in bytes and in code points.
//
//   String   in the heap
//   Text     kPoolText bytes or more that were put together at run time: outside of the heap, so
//            that it can grow in place and pieces of it are not copied (pool.hpp)
//
// Cost: length O(1); the n-th character O(n), O(1) when the text is ASCII (or by text_place.hpp).
#pragma once

#include <string_view>

#include "vm/data/utf8.hpp"
#include "vm/heap/heap.hpp"

namespace lona::vm {

inline constexpr std::size_t kPoolText = 256;

inline bool is_string(Term t) {
  if (!t.is_boxed()) return false;
  Kind kind = header_of(t).kind();
  return kind == Kind::kString || kind == Kind::kText;
}
inline std::size_t string_bytes(Term s) {
  return payload(s)[0];
}
inline std::size_t string_count(Term s) {
  return payload(s)[1];
}
inline std::string_view string_text(Term s) {
  const char* text = header_of(s).kind() == Kind::kString
                         ? reinterpret_cast<const char*>(payload(s) + 2)
                         : reinterpret_cast<const char*>(payload(s)[2]);
  return {text, string_bytes(s)};
}

// A string whose bytes the caller writes at once: exactly `bytes` bytes of valid UTF-8 holding
// `count` code points. `text` is null when there is no memory.
struct NewString {
  Term term;
  char* text;
};
NewString allocate_string(Heap& heap, std::size_t bytes, std::size_t count);
// Likewise, but from kPoolText on outside of the heap: for strings made at run time.
NewString allocate_text(Heap& heap, std::size_t bytes, std::size_t count);
// `s` with room for `bytes` bytes of `count` code points behind it; `text` is where they go.
NewString extend_text(Heap& heap, Term s, std::size_t bytes, std::size_t count);

// These give `absent` when there is no memory.
Term make_string(Heap& heap, std::string_view valid_text);
Term make_string_repaired(Heap& heap, std::string_view bytes);

// The bytes [begin, end) of `s`, which are `count` whole code points.
Term substring(Heap& heap, Term s, std::size_t begin, std::size_t end, std::size_t count);

}  // namespace lona::vm
