// SPDX-License-Identifier: BSD-2-Clause
// Capabilities as values, objects, and tables of capabilities.
#include <algorithm>

#include "vm/data/sequence.hpp"
#include "vm/native/kernel_op.hpp"
#include "vm/term/symbol.hpp"

namespace lona::vm::natives {

namespace {

using abi::Label;

Capabilities& capabilities_of(Process& p) {
  return state_of(p).realms.capabilities();
}

constexpr std::uint64_t kSignalledBadge = 1;

// A notification's signals are to leave something in it, so its capability is replaced by one with
// a badge.
bool give_badge(std::uint32_t slot) {
  const std::uint32_t other = platform::take_slot();
  if (other == platform::kNoSlot) return false;
  const std::uint64_t depth = platform::slots_depth(), root = platform::slots_cnode();
  const auto call = [&](Label label, std::span<const std::uint64_t> capabilities,
                        std::span<const std::uint64_t> words) {
    platform::KernelAnswer answer;
    platform::kernel_call(answer, root, static_cast<std::uint64_t>(label), capabilities, words);
    return !answer.failed && abi::MessageInfo(answer.info).error() == abi::Error::kNone;
  };
  const std::uint64_t capabilities[] = {root};
  const std::uint64_t mint[] = {other, depth, slot, depth, abi::kReadWrite.raw(), kSignalledBadge};
  const std::uint64_t remove[] = {slot, depth};
  const std::uint64_t move[] = {slot, depth, other, depth};
  const bool good = call(Label::kCNodeMint, capabilities, mint) &&
                    call(Label::kCNodeDelete, {}, remove) &&
                    call(Label::kCNodeMove, capabilities, move);
  platform::give_slot(other);
  return good;
}

FilledSlot make(Process& p, const ObjectTypeInfo& type, std::uint64_t size_bits) {
  const FilledSlot made = fill_slot([&](std::uint32_t slot) {
    const platform::RealmError error =
        platform::make_object(slot, type.number, type.call_bits(size_bits));
    const bool needs_badge =
        error == platform::RealmError::kNone && type.type == MachineType::kNotification;
    return needs_badge && !give_badge(slot) ? platform::RealmError::kTooMany : error;
  });
  if (made.slot != platform::kNoSlot && type.type == MachineType::kNotification) {
    const std::uint32_t use = platform::slot_use(made.slot);
    capabilities_of(p).note_copy(made.slot,
                                 {.origin = made.slot << 16 | use, .badge = kSignalledBadge});
  }
  return made;
}

// The slot as one that the kernel finds from the CNode of all slots.
struct OwnPlace {
  std::uint64_t root = platform::slots_cnode();
  std::uint64_t depth = platform::slots_depth();
};

void record(const CapPlace& place, ObjectKind kind) {
  if (place.known != nullptr) *place.known = kind;
}
ObjectKind known(const CapPlace& place) {
  return place.known != nullptr ? *place.known : ObjectKind{};
}

}  // namespace

#define LONA_IS_CAP(function, type)                                     \
  Term function(Process&, Args args) {                                  \
    return Term::boolean(is_machine_value(args[0], MachineType::type)); \
  }
LONA_IS_CAP(is_notification_cap, kNotification)
LONA_IS_CAP(is_endpoint_cap, kEndpoint)
LONA_IS_CAP(is_reply_cap, kReply)
LONA_IS_CAP(is_tcb_cap, kTcb)
LONA_IS_CAP(is_cnode_cap, kCNode)
LONA_IS_CAP(is_untyped_cap, kUntyped)
LONA_IS_CAP(is_sched_context_cap, kSchedContext)
LONA_IS_CAP(is_frame_cap, kFrame)
LONA_IS_CAP(is_pml4_cap, kPml4)
LONA_IS_CAP(is_pdpt_cap, kPdpt)
LONA_IS_CAP(is_page_directory_cap, kPageDirectory)
LONA_IS_CAP(is_page_table_cap, kPageTable)
LONA_IS_CAP(is_irq_handler_cap, kIrqHandler)
LONA_IS_CAP(is_sched_control_cap, kSchedControl)
LONA_IS_CAP(is_irq_control_cap, kIrqControl)
LONA_IS_CAP(is_asid_pool_cap, kAsidPool)
#undef LONA_IS_CAP

Term is_cap(Process&, Args args) {
  return Term::boolean(is_capability(args[0]));
}
Term cap_type(Process& p, Args args) {
  if (!is_capability(args[0])) return p.fail_badarg("cap-type", args);
  return make_keyword(machine_type_name(machine_type(args[0])));
}
Term cap_rights(Process& p, Args args) {
  if (!is_capability(args[0])) return p.fail_badarg("cap-rights", args);
  const unsigned rights = capability_of(args[0]).kind.rights;
  Term set = make_set(p, empty_map(p));
  for (const auto& [name, bit] : kRightNames) {
    if ((rights & bit) != 0) set = set_add(p, set, make_keyword(name));
  }
  return set;
}
Term cap_has_right(Process& p, Args args) {
  const auto* right = std::ranges::find_if(
      kRightNames, [&](const auto& known) { return args[1] == make_keyword(known.first); });
  if (!is_capability(args[0]) || right == std::end(kRightNames)) {
    return p.fail_badarg("cap-has-right?", args);
  }
  return Term::boolean((capability_of(args[0]).kind.rights & right->second) != 0);
}

Term kernel_arch(Process&, Args) {
  return make_keyword("x86_64");
}

Term make_notification(Process& p, Args) {
  const ObjectTypeInfo& type = *object_type(make_keyword("notification"));
  const FilledSlot made = make(p, type, 0);
  if (made.slot == platform::kNoSlot) return p.fail(describe(made.error));
  return own_capability(p, kind_of(type, 0), made.slot);
}

Term make_kernel_object(Process& p, Args args) {
  KernelOp op(p, "make-object", args);
  const ObjectTypeInfo* type = object_type(args[0]);
  const std::uint64_t size = args.size() == 2 ? op.word(args[1]) : 0;
  if (type == nullptr || size >= 64) op.refuse(kObjectTypes);
  if (!op.good()) return op.answer();
  ObjectKind kind = kind_of(*type, size);
  CNodeRecords& cnodes = state_of(p).cnodes;
  if (kind.type == MachineType::kCNode) {
    const Guard guard(cnodes.lock);
    kind.record = cnodes.add(kind.size_bits);
    if (kind.record == 0) op.error("too-many");
  }
  if (!op.good()) return op.answer();
  const FilledSlot made = make(p, *type, size);
  if (made.slot != platform::kNoSlot) return own_capability(p, kind, made.slot);
  const Guard guard(cnodes.lock);
  cnodes.drop(kind.record);
  op.error(describe(made.error));
  return op.answer();
}

Term release_cap(Process& p, Args args) {
  KernelOp op(p, "release!", args);
  if (!is_capability(args[0])) op.refuse();
  if (!op.good()) return op.answer();
  const Capability cap = capability_of(args[0]);
  if (cap.realm == state_of(p).realms.own()) (void)op.capability(args[0]);
  if (!op.good()) return op.answer();
  // A copy of a CNode shares its record with the one that was made.
  CNodeRecords& cnodes = state_of(p).cnodes;
  const Guard guard(cnodes.lock);
  const bool ends = cap.kind.record != 0 && platform::slot_is_made(cap.slot);
  capabilities_of(p).release(cap);
  if (ends) cnodes.drop(cap.kind.record);
  return op.ok();
}

Term caps_held(Process& p, Args) {
  capabilities_of(p).sweep();
  return Term::integer(platform::slots_taken());
}

Term get_sched_control(Process& p, Args args) {
  KernelOp op(p, "sched-control", args);
  const std::uint64_t core = op.word(args[0]);
  if (!op.good()) return op.answer();
  const FilledSlot given =
      fill_slot([&](std::uint32_t slot) { return platform::give_sched_control(slot, core); });
  if (given.slot != platform::kNoSlot) {
    return own_capability(p, {.type = MachineType::kSchedControl, .rights = 3}, given.slot);
  }
  op.error(describe(given.error));
  return op.answer();
}

// These two stand for what the manager does for the realm, so they have no slot.
Term get_irq_control(Process& p, Args) {
  return own_capability(p, {.type = MachineType::kIrqControl, .rights = 3}, platform::kNoSlot);
}
Term get_asid_pool(Process& p, Args) {
  return own_capability(p, {.type = MachineType::kAsidPool, .rights = 3}, platform::kNoSlot);
}

Term irq_control_get(Process& p, Args args) {
  KernelOp op(p, "irq-control-get!", args);
  if (!is_machine_value(args[0], MachineType::kIrqControl)) op.refuse();
  const std::uint64_t irq = op.word(args[1]);
  CNodeRecords& cnodes = state_of(p).cnodes;
  const Guard guard(cnodes.lock);
  const CapPlace to = op.place(args[2], args[3]);
  if (!op.good()) return op.answer();
  const FilledSlot made =
      fill_slot([&](std::uint32_t slot) { return platform::make_irq_handler(slot, irq); });
  if (made.slot == platform::kNoSlot) op.error(describe(made.error));
  const OwnPlace own;
  const Term answer =
      op.run(to.root, Label::kCNodeMove, {own.root}, {to.index, to.depth, made.slot, own.depth});
  if (op.good()) record(to, {.type = MachineType::kIrqHandler, .rights = 3});
  platform::give_slot(made.slot);
  return answer;
}

Term asid_pool_assign(Process& p, Args args) {
  KernelOp op(p, "asid-pool-assign!", args);
  if (!is_machine_value(args[0], MachineType::kAsidPool)) op.refuse();
  (void)op.capability(1, MachineType::kPml4);
  if (op.good() && !platform::slot_is_made(capability_of(args[1]).slot)) op.error("not-allowed");
  return op.ok();
}

Term untyped_retype(Process& p, Args args) {
  KernelOp op(p, "untyped-retype!", args);
  const std::uint64_t untyped = op.capability(0, MachineType::kUntyped);
  const ObjectTypeInfo* type = object_type(args[1]);
  const std::uint64_t size = op.word(args[2]);
  if (type == nullptr || size >= 64) op.refuse(kObjectTypes);
  CNodeRecords& cnodes = state_of(p).cnodes;
  const Guard guard(cnodes.lock);
  const CapPlace to = op.place(args[3], args[4]);
  const std::uint64_t count = op.word(args[5]);
  if (!op.good()) return op.answer();
  const Term answer = op.run(untyped, Label::kUntypedRetype, {to.root},
                             {type->number, type->call_bits(size), 0, 0, to.index, count});
  for (std::uint64_t at = 0; op.good() && to.known != nullptr && at < count; ++at) {
    to.known[at] = kind_of(*type, size);
  }
  return answer;
}

Term cap_at(Process& p, Args args) {
  KernelOp op(p, "cap-at", args);
  const Guard guard(state_of(p).cnodes.lock);
  const CapPlace from = op.place(args[0], args[1]);
  if (!op.good()) return op.answer();
  const ObjectKind kind = known(from);
  if (kind.type == MachineType::kNone) {
    op.error("failed-lookup");
    return op.answer();
  }
  const std::uint32_t slot = platform::take_slot();
  if (slot == platform::kNoSlot) op.error(describe(no_free_slot()));
  const OwnPlace own;
  (void)op.run(own.root, Label::kCNodeCopy, {from.root},
               {slot, own.depth, from.index, from.depth, 15});
  if (op.good()) {
    capabilities_of(p).note_copy(slot, kind);
    return own_capability(p, kind, slot);
  }
  platform::give_slot(slot);
  return op.answer();
}

Term cap_put(Process& p, Args args) {
  KernelOp op(p, "cap-put!", args);
  const Guard guard(state_of(p).cnodes.lock);
  const CapPlace to = op.place(args[0], args[1]);
  const std::uint32_t slot = op.slot(args[2]);
  if (!op.good()) return op.answer();
  const OwnPlace own;
  const Term answer =
      op.run(to.root, Label::kCNodeCopy, {own.root}, {to.index, to.depth, slot, own.depth, 15});
  if (op.good()) record(to, capabilities_of(p).kind_of(capability_of(args[2]), slot));
  return answer;
}

namespace {

// What copy and mint share; a badge of nullopt is none.
Term copy_cap(Process& p, KernelOp& op, Args args, std::optional<std::uint64_t> badge) {
  const Guard guard(state_of(p).cnodes.lock);
  const CapPlace to = op.place(args[0], args[1]);
  const CapPlace from = op.place(args[2], args[3]);
  const std::uint64_t rights = op.rights(args[4]);
  if (!op.good()) return op.answer();
  const Term answer = badge ? op.run(to.root, Label::kCNodeMint, {from.root},
                                     {to.index, to.depth, from.index, from.depth, rights, *badge})
                            : op.run(to.root, Label::kCNodeCopy, {from.root},
                                     {to.index, to.depth, from.index, from.depth, rights});
  if (op.good()) {
    ObjectKind kind = known(from);
    kind.rights &= static_cast<std::uint8_t>(rights);
    if (kind.badge == 0) kind.badge = badge.value_or(0);
    record(to, kind);
  }
  return answer;
}

// Only capabilities to CNodes have a guard; others just move, when it is none.
Term move_cap(Process& p, KernelOp& op, Args args, std::optional<std::uint64_t> cnode_guard) {
  const Guard guard(state_of(p).cnodes.lock);
  const CapPlace to = op.place(args[0], args[1]);
  const CapPlace from = op.place(args[2], args[3]);
  if (!op.good()) return op.answer();
  const bool mutates =
      cnode_guard && (*cnode_guard != 0 || known(from).type == MachineType::kCNode);
  const Term answer = mutates ? op.run(to.root, Label::kCNodeMutate, {from.root},
                                       {to.index, to.depth, from.index, from.depth, *cnode_guard})
                              : op.run(to.root, Label::kCNodeMove, {from.root},
                                       {to.index, to.depth, from.index, from.depth});
  if (op.good()) {
    record(to, known(from));
    record(from, {});
  }
  return answer;
}

}  // namespace

Term cap_copy(Process& p, Args args) {
  KernelOp op(p, "cap-copy!", args);
  return copy_cap(p, op, args, std::nullopt);
}
Term cap_mint(Process& p, Args args) {
  KernelOp op(p, "cap-mint!", args);
  return copy_cap(p, op, args, op.word(args[5]));
}
Term cap_move(Process& p, Args args) {
  KernelOp op(p, "cap-move!", args);
  return move_cap(p, op, args, std::nullopt);
}
Term cap_mutate(Process& p, Args args) {
  KernelOp op(p, "cap-mutate!", args);
  return move_cap(p, op, args, op.word(args[4]));
}

Term cap_delete(Process& p, Args args) {
  KernelOp op(p, "cap-delete!", args);
  const Guard guard(state_of(p).cnodes.lock);
  const CapPlace place = op.place(args[0], args[1]);
  const Term answer = op.run(place.root, Label::kCNodeDelete, {}, {place.index, place.depth});
  if (op.good()) record(place, {});
  return answer;
}
Term cap_revoke(Process& p, Args args) {
  KernelOp op(p, "cap-revoke!", args);
  const Guard guard(state_of(p).cnodes.lock);
  const CapPlace place = op.place(args[0], args[1]);
  return op.run(place.root, Label::kCNodeRevoke, {}, {place.index, place.depth});
}
Term cap_rotate(Process& p, Args args) {
  KernelOp op(p, "cap-rotate!", args);
  const Guard guard(state_of(p).cnodes.lock);
  const CapPlace to = op.place(args[0], args[1]);
  const CapPlace pivot = op.place(args[2], args[3]);
  const CapPlace from = op.place(args[4], args[5]);
  const std::uint64_t badge = op.word(args[6]);
  Term answer = Term::absent();
  if (badge != 0 || known(pivot).type == MachineType::kCNode) {
    answer =
        op.run(to.root, Label::kCNodeRotate, {pivot.root, from.root},
               {to.index, to.depth, badge, pivot.index, pivot.depth, 0, from.index, from.depth});
  } else {
    // The kernel takes 0 for a badge that others than CNodes cannot get. Nobody else moves anything
    // in these CNodes meanwhile.
    (void)op.run(to.root, Label::kCNodeMove, {pivot.root},
                 {to.index, to.depth, pivot.index, pivot.depth});
    const bool away = op.good();
    answer = op.run(pivot.root, Label::kCNodeMove, {from.root},
                    {pivot.index, pivot.depth, from.index, from.depth});
    if (away && !op.good()) {
      KernelOp back(p, "cap-rotate!", args);
      (void)back.run(pivot.root, Label::kCNodeMove, {to.root},
                     {pivot.index, pivot.depth, to.index, to.depth});
    }
  }
  if (op.good()) {
    const ObjectKind moved = known(pivot);
    record(pivot, known(from));
    if (from.known != to.known) record(from, {});
    record(to, moved);
  }
  return answer;
}

}  // namespace lona::vm::natives
