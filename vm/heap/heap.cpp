// SPDX-License-Identifier: BSD-2-Clause
#include "vm/heap/heap.hpp"

#include "vm/platform/platform.hpp"

namespace lona::vm {

Word* Heap::alloc_slow(std::size_t words) {
  Word* p = refill_(*this, words, true);
  if (p == nullptr) platform::panic("out of memory, the reserve included");
  return p;
}

Word* Heap::try_alloc_slow(std::size_t words) {
  return refill_(*this, words, false);
}

}  // namespace lona::vm
