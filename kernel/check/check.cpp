// SPDX-License-Identifier: BSD-2-Clause
// The derivation tree: links, who may descend from whom, and that no slot is full outside of it.
#include "kernel/check/check.hpp"

#include <algorithm>

#include "kernel/arch/arch.hpp"
#include "kernel/object/derivation.hpp"
#include "kernel/object/interrupt.hpp"
#include "kernel/object/tcb.hpp"

namespace lona::kernel {

namespace {

constinit ObjectIndex index;

// The slots above the one that is looked at, up to the root of its tree. Deeper ones than fit are
// left out; what descends from them is held against an older ancestor.
class Ancestors {
 public:
  void clear() { depth_ = 0; }
  // The parent of `slot`, which becomes the innermost one itself; null for a root.
  const Slot* enter(const Slot& slot) {
    while (depth_ > 0 && !is_derived_from(slot, *stack_[depth_ - 1])) --depth_;
    const Slot* const parent = depth_ > 0 ? stack_[depth_ - 1] : nullptr;
    if (depth_ < kDepth && slot.node.original()) stack_[depth_++] = &slot;
    return parent;
  }

 private:
  static constexpr unsigned kDepth = 256;
  const Slot* stack_[kDepth] = {};
  unsigned depth_ = 0;
};

bool has_rights(const Cap& cap) {
  return cap.is(CapType::kEndpoint) || cap.is(CapType::kNotification) || cap.is(CapType::kReply) ||
         cap.is(CapType::kPage);
}

// No more authority than the parent has; memory only out of what the parent has handed out.
const char* wrong_descent(const Cap& parent, const Cap& child) {
  if (parent.is(CapType::kUntyped)) {
    const Word handed_out = parent.paddr() + parent.untyped_allocated();
    if (child.paddr() + object_bytes(child) > handed_out) {
      return "an object lies in memory that its untyped has not handed out";
    }
    return nullptr;
  }
  if (parent.type() == child.type() && has_rights(child) &&
      (child.rights() & parent.rights()) != child.rights()) {
    return "a capability has rights that its parent lacks";
  }
  return nullptr;
}

// What a clean untyped has not handed out is zero; of large ones the next part to go is looked at.
bool is_clean(const Cap& untyped) {
  if (!untyped.untyped_is_clean() || untyped.untyped_is_device()) return true;
  constexpr Word kLook = 1 << 15;
  const Word size = Word{1} << untyped.untyped_size_bits();
  const Word end = std::min(size, untyped.untyped_allocated() + kLook);
  for (Word at = untyped.untyped_allocated(); at < end; at += sizeof(Word)) {
    if (*from_phys<Word>(untyped.paddr() + at) != 0) return false;
  }
  return true;
}

struct TreeWalk {
  Complaint complaint;
  Word slots = 0;
  bool complete = true;
};

TreeWalk walk_tree() {
  TreeWalk walk;
  static constinit Ancestors ancestors;  // the kernel's stack is small
  ancestors.clear();
  Slot* prev = &derivation_anchor;
  for (Slot* slot = prev->node.next(); slot != nullptr; prev = slot, slot = slot->node.next()) {
    const auto wrong = [&](const char* what) {
      walk.complaint = {what, reinterpret_cast<Word>(slot)};
      return walk;
    };
    if (slot->node.prev() != prev) return wrong("a slot does not point back at the one before it");
    if (slot->empty()) return wrong("an empty slot is in the derivation tree");
    ++walk.slots;
    const Slot* const parent = ancestors.enter(*slot);
    if (parent != nullptr) {
      if (const char* what = wrong_descent(parent->cap, slot->cap)) return wrong(what);
    }
    if (slot->cap.is(CapType::kUntyped) && !is_clean(slot->cap)) {
      return wrong("memory that should be zero is not");
    }
    if (slot->cap.is(CapType::kUntyped) || object_bytes(slot->cap) == 0) continue;
    if (same_object(prev->cap, slot->cap)) continue;
    walk.complete = walk.complete && index.add(*slot);
  }
  return walk;
}

// Full slots are counted; an empty one must be out of the tree.
Complaint count_slots(const Slot* slots, Word count, Word& full) {
  for (Word i = 0; i < count; ++i) {
    if (!slots[i].empty()) {
      ++full;
    } else if (slots[i].node.prev() != nullptr || slots[i].node.next() != nullptr) {
      return {"an empty slot has neighbours", reinterpret_cast<Word>(&slots[i])};
    }
  }
  return {};
}

Complaint check_containers(Word slots_in_tree) {
  Word full = 0;
  for (const ObjectIndex::Entry& entry : index) {
    Complaint wrong;
    if (entry.type == CapType::kCNode) {
      wrong = count_slots(from_phys<Slot>(entry.begin), entry.bytes / sizeof(Slot), full);
    } else if (entry.type == CapType::kTcb) {
      wrong = count_slots(from_phys<Tcb>(entry.begin)->slots, Tcb::kSlots, full);
    }
    if (wrong) return wrong;
  }
  for (unsigned irq = 0; irq < arch::kIrqCount; ++irq) {
    const Slot& slot = irq_notification_slot(irq);
    if (!slot.empty() && !irq_active(irq)) {
      return {"an interrupt line signals without a handler capability", irq};
    }
    if (const Complaint wrong = count_slots(&slot, 1, full)) return wrong;
  }
  if (full != slots_in_tree) {
    return {full > slots_in_tree ? "a full slot is not in the derivation tree"
                                 : "a slot of the derivation tree lies in no container",
            full > slots_in_tree ? full - slots_in_tree : slots_in_tree - full};
  }
  return {};
}

}  // namespace

CheckResult check_invariants() {
  index.clear();
  const TreeWalk walk = walk_tree();
  CheckResult result{walk.complaint, walk.slots, walk.complete};
  if (result.complaint || !walk.complete) return result;
  index.sort();
  if (const ObjectIndex::Entry* entry = index.overlap()) {
    result.complaint = {"two objects share memory", entry->begin};
    return result;
  }
  result.complaint = check_containers(walk.slots);
  if (!result.complaint) result.complaint = check_threads(index);
  if (!result.complaint) result.complaint = arch::check_spaces(index);
  return result;
}

}  // namespace lona::kernel
