// SPDX-License-Identifier: BSD-2-Clause
// Deep copies of terms out of a process's heap or an arena. What the source does not own
// (permanent objects) is shared, not copied. Neither depth nor length of a value costs native
// stack. Sharing inside a value is not kept: a part reached twice is copied twice.
#pragma once

#include <optional>

#include "vm/heap/heap.hpp"

namespace lona::vm {

class Arena;
class Process;
struct Fragment;

// Words a copy takes; nothing when the value is larger than memory could hold.
std::optional<std::size_t> copy_size(const Process& source, Term t);
std::optional<std::size_t> copy_size(const Arena& source, Term t);

// Is a byte buffer part of the value? Such a value does not leave its process.
bool holds_byte_buffer(const Process& source, Term t);

// Copies into exactly copy_size words at `to`.
// Copies of Blobs are added to the chain, which the owner of `to` takes over (off_heap.hpp).
Term copy_into(const Process& source, Term t, Word* to, Word*& blobs);
Term copy_into(const Arena& source, Term t, Word* to, Word*& blobs);

// Copies to another heap; Term::absent() without memory.
Term copy_to(Heap& target, const Process& source, Term t);
Term copy_to(Heap& target, const Arena& source, Term t);

}  // namespace lona::vm
