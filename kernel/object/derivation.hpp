// SPDX-License-Identifier: BSD-2-Clause
// The capability derivation tree (manual, "Capability Derivation Tree").
//
// The slots of all trees form one list in preorder, which begins behind an empty anchor. B,
// somewhere behind A, is derived from A if A is marked original, A's capability covers B's (same
// object, or B's object lies in A's untyped memory) and, where A carries a badge, B carries the
// same and is not the first with it. The children of a slot are the slots directly behind it for
// which this holds, so finding, adding and removing one take constant time, and removing a slot
// from the middle keeps its children below its own parent.
#pragma once

#include "kernel/object/slot.hpp"

namespace lona::kernel {

// Before the first slot of all. It holds nothing, so nothing descends from it.
extern Slot derivation_anchor;

// The object of `b` is the one of `a`, or part of it.
bool covers(const Cap& a, const Cap& b);
// Both name one and the same object, and it can only die with its last cap.
bool same_object(const Cap& a, const Cap& b);
// Size in bytes of the memory behind an object cap; 0 for caps without memory.
Word object_bytes(const Cap& cap);

bool is_derived_from(const Slot& child, const Slot& parent);
inline bool has_children(const Slot& slot) {
  return slot.node.next() != nullptr && is_derived_from(*slot.node.next(), slot);
}
// The only cap to its object.
bool is_final(const Slot& slot);
// Deleting it would need work that may be interrupted.
bool is_long_running(const Slot& slot);

// `slot` is empty in all of these.
void insert_root(Slot& slot, const Cap& cap);
// A cap to a new object made with `parent`'s authority.
void insert_child(Slot& parent, Slot& slot, const Cap& cap);
// A cap derived from the one in `source`.
void insert_copy(Slot& source, Slot& slot, const Cap& cap);

// Takes the place of `from` in the tree, with a capability that may differ in data.
void move_slot(Slot& from, Slot& to, const Cap& cap);
// Exchanges places in the tree as well; a's new content gets `cap_for_a`, b's `cap_for_b`.
void swap_slots(Slot& a, const Cap& cap_for_a, Slot& b, const Cap& cap_for_b);
void remove_slot(Slot& slot);
// Removes up to `most` children of a cap whose children all name its own object, so that none of
// them is the last one to it; true if none is left. The same as remove_slot() on each.
bool remove_copies(Slot& parent, unsigned most);

}  // namespace lona::kernel
