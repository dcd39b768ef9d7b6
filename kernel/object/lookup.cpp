// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/object/lookup.hpp"

namespace lona::kernel {

namespace {

Result<Slot*> lookup_slot(const Cap& root, Word pointer, Word depth, bool source) {
  if (!root.is(CapType::kCNode)) {
    return fail(Failure::failed_lookup(source, LookupFault::invalid_root()));
  }
  if (depth < 1 || depth > abi::kWordBits) return fail(Failure::range(1, abi::kWordBits));
  const auto found = resolve(root, pointer, static_cast<unsigned>(depth));
  if (!found) return fail(Failure::failed_lookup(source, found.error()));
  if (found->bits_left != 0) {
    return fail(Failure::failed_lookup(source, LookupFault::depth(found->bits_left, 0)));
  }
  return found->slot;
}

}  // namespace

base::Expected<Resolved, LookupFault> resolve(const Cap& root, Word pointer, unsigned depth) {
  if (!root.is(CapType::kCNode)) return fail(LookupFault::invalid_root());
  const Cap* node = &root;
  unsigned left = depth;
  for (;;) {
    const unsigned radix = node->radix();
    const unsigned guard_size = node->guard_size();
    const unsigned level = radix + guard_size;
    if (guard_size != 0) {
      if (guard_size > left ||
          ((pointer >> (left - guard_size)) & base::low_mask<Word>(guard_size)) != node->guard()) {
        return fail(LookupFault::guard(left, node->guard(), guard_size));
      }
    }
    if (level > left) return fail(LookupFault::depth(left, level));
    const Word index = (pointer >> (left - level)) & base::low_mask<Word>(radix);
    Slot* slot = node->object<Slot>() + index;
    left -= level;
    if (left == 0 || !slot->cap.is(CapType::kCNode)) return Resolved{slot, left};
    node = &slot->cap;
  }
}

base::Expected<Slot*, LookupFault> lookup(Tcb& thread, Word pointer) {
  if (Slot* const slot = lookup_one_level(thread, pointer)) return slot;
  const auto found = resolve(thread.slots[Tcb::kCSpace].cap, pointer, abi::kWordBits);
  if (!found) return fail(found.error());
  return found->slot;
}

Result<Slot*> lookup_target_slot(const Cap& root, Word pointer, Word depth) {
  return lookup_slot(root, pointer, depth, false);
}

Result<Slot*> lookup_source_slot(const Cap& root, Word pointer, Word depth) {
  return lookup_slot(root, pointer, depth, true);
}

Result<void> ensure_empty(const Slot& slot) {
  if (!slot.empty()) return fail(Failure::delete_first());
  return {};
}

}  // namespace lona::kernel
