// SPDX-License-Identifier: BSD-2-Clause
// Bytes in a block outside of the heap (vm/heap/off_heap.hpp), and growing them in place: what
// binaries and long strings have in common.
#pragma once

#include "vm/heap/heap.hpp"

namespace lona::vm {

struct PoolBytes {
  Term blob;    // `absent` when there is no memory
  char* bytes;  // for the caller to fill at once
};

// `size` bytes in a block of their own.
PoolBytes pool_allocate(Heap& heap, std::size_t size);

// Room for `extra` bytes behind the `size` bytes at `bytes` in the block of `blob` (nil: they are
// in no block), which are copied unless they can grow where they are: when nothing has been put
// behind them yet and the block has room. New blocks have room for as much again, so appending
// piece by piece copies each byte a bounded number of times. `bytes` of the result is the whole.
PoolBytes pool_extend(Heap& heap, Term blob, const char* bytes, std::size_t size,
                      std::size_t extra);

}  // namespace lona::vm
