// SPDX-License-Identifier: BSD-2-Clause
// The collector of one process's heap: generational, copying, never for more than one process.
//
// Rules:
// - It runs only when the interpreter calls it, at an instruction with a live map. Natives never
//   see one (heap/heap.hpp).
// - A minor collection copies what lives of the young part (block and fragments) to a new block.
//   What lay below the high-water mark has survived once before and moves to the old part. As
//   values are immutable, an object refers only to older ones: everything below the mark refers to
//   objects below the mark or old ones, so old objects never refer to young ones and no write
//   barrier is needed.
// - While a receive matches a message that is still in the mailbox, young objects may refer to that
//   message, which is not part of the heap yet. So nothing becomes mature in such a collection.
// - A major collection does the same with a new old part, to which the living of the present one go
//   too.
// - A large collection is done in slices: the process does not run until it is finished, and other
//   processes run in between. What was given up half-way is thrown away with the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "vm/term/term.hpp"

namespace lona::vm {

class Process;

enum class Collected : std::uint8_t {
  kDone,
  kUnfinished,  // p.collection_ is set: the scheduler goes on with it
  kNoMemory,    // the process must end
};
enum class Slices : bool { kNo, kYes };

// Makes room for `need` words between heap and stack. `live` is the live map index of the current
// instruction of the function in frame p.fp_. With slices that instruction is executed again later.
Collected collect(Process& p, std::uint16_t live, std::size_t need, Slices slices);

// The next slice of p.collection_.
Collected continue_collection(Process& p);

// Words of a block that is to hold `words`: the next of 233, 377, 610, … then steps of 20 %.
std::size_t block_size_for(std::size_t words);

// Calls f(words) for each piece of memory that holds what the process may use: block, stack, old
// part, fragments, and the new parts of a collection that has not been finished.
void each_heap_part(const Process& p, void (*f)(void* context, std::span<const Word>),
                    void* context);

// Frees everything a process's heap consists of (not the process itself).
void free_heap(Process& p);

}  // namespace lona::vm
