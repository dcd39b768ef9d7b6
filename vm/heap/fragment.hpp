// SPDX-License-Identifier: BSD-2-Clause
// A piece of heap outside a process's block: a message in a mailbox, or what a native allocated
// when the block was full. A message that is taken from the mailbox, and an overflow piece, become
// part of the process's young heap until the next collection copies what lives and frees them.
#pragma once

#include "vm/heap/off_heap.hpp"

namespace lona::vm {

struct Fragment {
  // What lies in a mailbox. Exit signals are messages [:EXIT pid reason] for those who trap them.
  enum class Kind : std::uint8_t { kMessage, kExit, kLinkExit, kKill };

  Fragment* next;
  std::size_t bytes : 56;  // of the allocation
  std::size_t kind_bits : 8;
  Word* top;    // end of what is used
  Term value;   // of a message
  Word* blobs;  // chain of the Blobs in it until it joins a heap (heap/off_heap.hpp)
  Word data[];

  Kind kind() const { return static_cast<Kind>(kind_bits); }
  void set_kind(Kind kind) { kind_bits = static_cast<std::uint8_t>(kind); }
  bool holds(const Word* p) const {
    return reinterpret_cast<std::uintptr_t>(p) - reinterpret_cast<std::uintptr_t>(data) <
           reinterpret_cast<std::uintptr_t>(top) - reinterpret_cast<std::uintptr_t>(data);
  }
  // What it keeps from others: itself, and blocks outside of all heaps.
  std::size_t words() const { return bytes / sizeof(Word) + OffHeapList::chain_words(blobs); }
  const Word* end() const {
    return reinterpret_cast<const Word*>(reinterpret_cast<const char*>(this) + bytes);
  }
};

}  // namespace lona::vm
