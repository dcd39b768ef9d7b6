// SPDX-License-Identifier: BSD-2-Clause
// What belongs to the worker that runs a process: its allocator.
#pragma once

#include "vm/heap/allocator.hpp"
#include "vm/heap/fragment.hpp"

namespace lona::vm {

class Process;

Allocator& allocator_of(const Process& p);

inline constexpr std::size_t fragment_bytes(std::size_t words) {
  return sizeof(Fragment) + words * sizeof(Word);
}
// A fragment with room for `words`; null without memory.
Fragment* make_fragment(Allocator& allocator, std::size_t words);
void free_fragment(Allocator& allocator, Fragment* f);
void free_fragment(const Process& p, Fragment* f);

}  // namespace lona::vm
