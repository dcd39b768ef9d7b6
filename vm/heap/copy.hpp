// SPDX-License-Identifier: BSD-2-Clause
// Deep copies of terms out of a process's heap or an arena. What the source does not own
// (permanent objects) is shared, not copied. Neither depth nor length of a value costs native
// stack. Sharing inside a value is not kept: a part reached twice is copied twice.
#pragma once

#include <optional>
#include <span>

#include "vm/heap/heap.hpp"

namespace lona::vm {

class Arena;
class Process;

// Words a copy takes; nothing when the value is larger than memory, or than `most` words.
std::optional<std::size_t> copy_size(const Process& source, Term t);
std::optional<std::size_t> copy_size(const Process& source, Term t, std::size_t most);
std::optional<std::size_t> copy_size(const Arena& source, Term t);

// A byte buffer that is part of the value, or `absent`. Such a value does not leave its process.
Term byte_buffer_in(const Process& source, Term t);

struct Copied {
  Term value;         // Term::absent(): not all of it was copied
  std::size_t words;  // that it took
  bool full;          // because there was no room; else no memory for the walk
};
// Copies of Blobs are added to the chain, which the owner of `to` takes over or releases
// (off_heap.hpp), also those of a copy that was not finished.
Copied copy_into(const Process& source, Term t, std::span<Word> to, Word*& blobs);
Copied copy_into(const Arena& source, Term t, std::span<Word> to, Word*& blobs);

// Copies to another heap; Term::absent() without memory.
Term copy_to(Heap& target, const Process& source, Term t);
Term copy_to(Heap& target, const Arena& source, Term t);

}  // namespace lona::vm
