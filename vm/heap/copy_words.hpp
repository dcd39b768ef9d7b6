// SPDX-License-Identifier: BSD-2-Clause
// Copying objects: nearly all are a few words, for which a call of memcpy costs more than the copy.
#pragma once

#include <cstring>

#include "vm/term/term.hpp"

namespace lona::vm {

inline void copy_words(Word* to, const Word* from, std::size_t words) {
  constexpr std::size_t kFew = 12;
  if (words > kFew) {
    std::memcpy(to, from, words * sizeof(Word));
    return;
  }
  for (std::size_t i = 0; i < words; ++i) {
    to[i] = from[i];
    __asm__ volatile("" ::: "memory");  // or the compiler makes a call of memcpy out of it
  }
}

}  // namespace lona::vm
