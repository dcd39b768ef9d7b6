// SPDX-License-Identifier: BSD-2-Clause
// A capability slot: the capability and its place in the derivation tree. The tree is kept as a
// doubly linked list in preorder (a cap, then everything derived from it); who is a child of whom
// follows from the capabilities and two marks, see derivation.hpp.
#pragma once

#include "abi/sel4/object_types.hpp"
#include "kernel/object/cap.hpp"

namespace lona::kernel {

struct Slot;

class DerivationNode {
 public:
  Slot* prev() const { return reinterpret_cast<Slot*>(prev_); }
  Slot* next() const { return reinterpret_cast<Slot*>(next_ & ~kMarks); }
  void set_prev(Slot* slot) { prev_ = reinterpret_cast<Word>(slot); }
  void set_next(Slot* slot) { next_ = reinterpret_cast<Word>(slot) | (next_ & kMarks); }

  // The cap may have children.
  bool original() const { return next_ & 1; }
  // The first cap with its badge; others with this badge made from it are its children.
  bool first_badged() const { return next_ & 2; }
  void set_marks(bool original, bool first_badged) {
    next_ = (next_ & ~kMarks) | Word{original} | Word{first_badged} << 1;
  }

 private:
  static constexpr Word kMarks = 3;
  Word prev_;
  Word next_;
};

struct alignas(32) Slot {
  Cap cap;
  DerivationNode node;

  bool empty() const { return cap.is_null(); }
};
static_assert(sizeof(Slot) == 1u << abi::kSlotBits);
static_assert(sizeof(DerivationNode) == 16);

}  // namespace lona::kernel
