// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/object/cnode.hpp"

#include "kernel/arch/arch.hpp"
#include "kernel/ipc/ipc.hpp"
#include "kernel/object/deletion.hpp"
#include "kernel/object/derivation.hpp"
#include "kernel/object/lookup.hpp"

namespace lona::kernel {

Result<Cap> derive(const Slot& slot, const Cap& cap) {
  switch (cap.type()) {
    case CapType::kZombie:
    case CapType::kIrqControl:
      return Cap();
    case CapType::kUntyped: {
      if (has_children(slot)) return fail(Failure::revoke_first());
      Cap copy = cap;
      // What had been handed out and came back is not zero.
      if (cap.untyped_allocated() != 0) copy.set_untyped_clean(false);
      copy.set_untyped(0, 0);
      return copy;
    }
    default:
      return is_arch_type(cap.type()) ? arch::derive(cap) : Result<Cap>(cap);
  }
}

Result<Cap> derive(const Slot& slot) {
  return derive(slot, slot.cap);
}

Cap with_rights(const Cap& cap, abi::CapRights rights) {
  switch (cap.type()) {
    case CapType::kEndpoint:
    case CapType::kNotification:
    case CapType::kReply: {
      Cap masked = cap;
      masked.set_rights(cap.rights() & rights);
      return masked;
    }
    default:
      return is_arch_type(cap.type()) ? arch::mask_rights(cap, rights) : cap;
  }
}

Cap with_data(const Cap& cap, Word data, Badge badge) {
  switch (cap.type()) {
    case CapType::kEndpoint:
    case CapType::kNotification: {
      if (badge == Badge::kPreserve || cap.badge() != 0) return Cap();
      Cap changed = cap;
      changed.set_badge(data);
      return changed;
    }
    case CapType::kCNode: {
      const abi::CNodeData guard(data);
      if (guard.guard_size() + cap.radix() > abi::kWordBits) return Cap();
      Cap changed = cap;
      changed.set_guard(guard.guard() & base::low_mask<Word>(guard.guard_size()),
                        guard.guard_size());
      return changed;
    }
    default:
      return is_arch_type(cap.type()) ? arch::update_data(cap, data) : cap;
  }
}

namespace {

Result<Slot*> source_of(Invocation& inv, unsigned extra, unsigned index_arg) {
  Slot* const slot =
      TRY(lookup_source_slot(inv.extra[extra]->cap, inv.arg(index_arg), inv.arg(index_arg + 1)));
  if (slot->empty()) {
    const auto depth = static_cast<unsigned>(inv.arg(index_arg + 1));
    return fail(Failure::failed_lookup(true, LookupFault::missing(depth)));
  }
  return slot;
}

Result<Done> decode_copy(Invocation& inv, Slot& dest, Slot& source, bool mint) {
  const bool short_message =
      mint ? inv.too_short<abi::Label::kCNodeMint>() : inv.too_short<abi::Label::kCNodeCopy>();
  if (short_message) return fail(Failure::truncated());
  Cap cap = with_rights(source.cap, abi::CapRights(inv.arg(4)));
  if (mint) cap = with_data(cap, inv.arg(5), Badge::kMaySet);
  cap = TRY(derive(source, cap));
  if (cap.is_null()) return fail(Failure::illegal_operation());
  insert_copy(source, dest, cap);
  return Done{};
}

Result<Done> decode_move(Invocation& inv, Slot& dest, Slot& source, bool mutate) {
  Cap cap = source.cap;
  if (mutate) {
    if (inv.too_short<abi::Label::kCNodeMutate>()) return fail(Failure::truncated());
    cap = with_data(cap, inv.arg(4), Badge::kPreserve);
    if (cap.is_null()) return fail(Failure::illegal_operation());
  }
  move_slot(source, dest, cap);
  return Done{};
}

Result<Done> decode_two_slots(Invocation& inv, Slot& dest) {
  if (inv.too_short<abi::Label::kCNodeMove>()) return fail(Failure::truncated());
  TRY(ensure_empty(dest));
  Slot& source = *TRY(source_of(inv, 0, 2));
  switch (inv.label) {
    case abi::Label::kCNodeCopy:
      return decode_copy(inv, dest, source, false);
    case abi::Label::kCNodeMint:
      return decode_copy(inv, dest, source, true);
    case abi::Label::kCNodeMove:
      return decode_move(inv, dest, source, false);
    default:
      return decode_move(inv, dest, source, true);
  }
}

// dest gets the pivot's cap, the pivot gets the source's; source and dest may be one slot.
void invoke_rotate(Slot& dest, const Cap& for_dest, Slot& pivot, const Cap& for_pivot,
                   Slot& source) {
  if (&source == &dest) {
    swap_slots(dest, for_dest, pivot, for_pivot);
  } else {
    move_slot(pivot, dest, for_dest);
    move_slot(source, pivot, for_pivot);
  }
}

Result<Done> decode_rotate(Invocation& inv, Slot& dest) {
  if (inv.too_short<abi::Label::kCNodeRotate>()) return fail(Failure::truncated());
  Slot& source = *TRY(lookup_source_slot(inv.extra[1]->cap, inv.arg(6), inv.arg(7)));
  Slot& pivot = *TRY(lookup_source_slot(inv.extra[0]->cap, inv.arg(3), inv.arg(4)));
  if (&pivot == &source || &pivot == &dest) return fail(Failure::illegal_operation());
  if (&source != &dest) TRY(ensure_empty(dest));
  if (source.empty()) {
    const auto depth = static_cast<unsigned>(inv.arg(7));
    return fail(Failure::failed_lookup(true, LookupFault::missing(depth)));
  }
  if (pivot.empty()) {
    const auto depth = static_cast<unsigned>(inv.arg(4));
    return fail(Failure::failed_lookup(false, LookupFault::missing(depth)));
  }
  const Cap for_dest = with_data(pivot.cap, inv.arg(2), Badge::kPreserve);
  const Cap for_pivot = with_data(source.cap, inv.arg(5), Badge::kPreserve);
  // Badges stay as they are; only the guards of CNodes may change on the way.
  if (for_dest.is_null() || for_pivot.is_null()) return fail(Failure::illegal_operation());
  invoke_rotate(dest, for_dest, pivot, for_pivot, source);
  return Done{};
}

Done finished(Progress progress) {
  return Done{progress == Progress::kPreempted ? Done::kPreempted : Done::kReply, 0};
}

Result<Done> decode_cancel_badged_sends(Slot& slot) {
  if (!slot.cap.is(CapType::kEndpoint) || slot.cap.rights() != abi::kAllRights) {
    return fail(Failure::illegal_operation());
  }
  if (slot.cap.badge() == 0) return Done{};
  return finished(cancel_badged_sends(*slot.cap.object<Endpoint>(), slot.cap.badge()));
}

}  // namespace

Result<Done> decode_cnode(Invocation& inv) {
  if (inv.label < abi::Label::kCNodeRevoke || inv.label > abi::Label::kCNodeRotate) {
    return fail(Failure::illegal_operation());
  }
  if (inv.too_short<abi::Label::kCNodeRevoke>()) return fail(Failure::truncated());
  Slot& dest = *TRY(lookup_target_slot(inv.cap, inv.arg(0), inv.arg(1)));
  switch (inv.label) {
    case abi::Label::kCNodeRevoke:
      return finished(revoke(dest));
    case abi::Label::kCNodeDelete:
      return finished(delete_cap(dest));
    case abi::Label::kCNodeCancelBadgedSends:
      return decode_cancel_badged_sends(dest);
    case abi::Label::kCNodeRotate:
      return decode_rotate(inv, dest);
    default:
      return decode_two_slots(inv, dest);
  }
}

}  // namespace lona::kernel
