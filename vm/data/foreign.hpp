// SPDX-License-Identifier: BSD-2-Clause
// Pids and references that another realm has made: only that realm can tell what they stand for.
#pragma once

#include "vm/heap/heap.hpp"

namespace lona::vm {

enum class ForeignType : Word { kPid, kRef };

inline bool is_foreign(Term t, ForeignType type) {
  return is_kind(t, Kind::kForeign) && payload(t)[0] >> 32 == static_cast<Word>(type);
}
inline std::uint32_t foreign_realm(Term t) {
  return static_cast<std::uint32_t>(payload(t)[0]);
}
// A pid's bits, a reference's number: as they are in their realm.
inline Word foreign_word(Term t) {
  return payload(t)[1];
}
inline Term make_foreign(Heap& heap, ForeignType type, std::uint32_t realm, Word word) {
  Word* box = heap.alloc_box(Kind::kForeign, 2);
  box[1] = static_cast<Word>(type) << 32 | realm;
  box[2] = word;
  return Term::boxed(box);
}

inline bool is_any_pid(Term t) {
  return t.is_pid() || is_foreign(t, ForeignType::kPid);
}
inline bool is_any_ref(Term t) {
  return is_kind(t, Kind::kRef) || is_foreign(t, ForeignType::kRef);
}

}  // namespace lona::vm
