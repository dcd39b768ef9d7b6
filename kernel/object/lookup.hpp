// SPDX-License-Identifier: BSD-2-Clause
// From capability pointers to slots: the guarded page table walk (manual, "CSpace Addressing").
#pragma once

#include "kernel/api/failure.hpp"
#include "kernel/object/slot.hpp"
#include "kernel/object/tcb.hpp"

namespace lona::kernel {

struct Resolved {
  Slot* slot;
  unsigned bits_left;  // not 0 only where a cap other than a CNode ended the walk
};
base::Expected<Resolved, LookupFault> resolve(const Cap& root, Word pointer, unsigned depth);

// The slot a thread names in its own CSpace; full depth. An empty slot is a result, too.
base::Expected<Slot*, LookupFault> lookup(Tcb& thread, Word pointer);

// The same for the usual CSpace, one CNode whose guard and radix take the whole pointer; null if it
// is another one or the guard differs.
inline Slot* lookup_one_level(Tcb& thread, Word pointer) {
  const Cap& root = thread.slots[Tcb::kCSpace].cap;
  const unsigned radix = root.radix();
  if (!root.is_whole_cspace() || pointer >> radix != root.guard()) return nullptr;
  return root.object<Slot>() + (pointer & base::low_mask<Word>(radix));
}

// The slot named by CNode methods: exactly `depth` bits of `pointer`, resolved from `root`.
Result<Slot*> lookup_target_slot(const Cap& root, Word pointer, Word depth);
Result<Slot*> lookup_source_slot(const Cap& root, Word pointer, Word depth);
Result<void> ensure_empty(const Slot& slot);

}  // namespace lona::kernel
