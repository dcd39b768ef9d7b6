// SPDX-License-Identifier: BSD-2-Clause
// Memory of the worker that runs a process. Only that worker may ask for it: code that runs on
// behalf of one process never allocates with another's.
#pragma once

#include "vm/heap/fragment.hpp"
#include "vm/sched/worker.hpp"

namespace lona::vm {

inline Allocator& allocator_of(const Process& p) {
  return p.worker_->allocator;
}

inline constexpr std::size_t fragment_bytes(std::size_t words) {
  return sizeof(Fragment) + words * sizeof(Word);
}
// A fragment with room for `words`; null without memory.
Fragment* make_fragment(Allocator& allocator, std::size_t words);
// For what must not be lost: out of the reserve when there is no memory.
Fragment* make_vital_fragment(Allocator& allocator, std::size_t words);
void free_fragment(Allocator& allocator, Fragment* f);
void free_fragment(const Process& p, Fragment* f);

}  // namespace lona::vm
