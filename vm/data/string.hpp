// SPDX-License-Identifier: BSD-2-Clause
// Strings: valid UTF-8 with its length in bytes and in code points.
// Cost: length O(1); the n-th character O(n), O(1) when the text is ASCII.
#pragma once

#include <string_view>

#include "vm/data/utf8.hpp"
#include "vm/heap/heap.hpp"

namespace lona::vm {

inline bool is_string(Term t) {
  return is_kind(t, Kind::kString);
}
inline std::size_t string_bytes(Term s) {
  return payload(s)[0];
}
inline std::size_t string_count(Term s) {
  return payload(s)[1];
}
inline std::string_view string_text(Term s) {
  return {reinterpret_cast<const char*>(payload(s) + 2), string_bytes(s)};
}

// A string whose bytes the caller writes at once: exactly `bytes` bytes of valid UTF-8 holding
// `count` code points. `text` is null when there is no memory.
struct NewString {
  Term term;
  char* text;
};
NewString allocate_string(Heap& heap, std::size_t bytes, std::size_t count);

// These give `absent` when there is no memory.
Term make_string(Heap& heap, std::string_view valid_text);
Term make_string_repaired(Heap& heap, std::string_view bytes);

// Code points [begin, end) of `s`; 0 <= begin <= end <= count.
Term substring(Heap& heap, Term s, std::size_t begin, std::size_t end);

}  // namespace lona::vm
