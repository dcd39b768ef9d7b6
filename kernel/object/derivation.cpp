// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/object/derivation.hpp"

#include "kernel/arch/arch.hpp"

namespace lona::kernel {

constinit Slot derivation_anchor{};

namespace {

void link(Slot& slot, Slot* prev, Slot* next) {
  slot.node.set_prev(prev);
  slot.node.set_next(next);
  if (prev != nullptr) prev->node.set_next(&slot);
  if (next != nullptr) next->node.set_prev(&slot);
}

bool memory_covers(const Cap& untyped, const Cap& other) {
  const Word bytes = object_bytes(other);
  if (bytes == 0) return false;
  const PhysAddr start = untyped.paddr();
  const Word size = Word{1} << untyped.untyped_size_bits();
  return other.paddr() >= start && bytes <= size && other.paddr() - start <= size - bytes;
}

// May the copy have children of its own?
bool copy_is_original(const Cap& copy, const Cap& source) {
  switch (copy.type()) {
    case CapType::kEndpoint:
    case CapType::kNotification:
      return copy.badge() != source.badge();
    case CapType::kUntyped:
      return true;
    default:
      return false;
  }
}

}  // namespace

Word object_bytes(const Cap& cap) {
  switch (cap.type()) {
    case CapType::kUntyped:
      return Word{1} << cap.untyped_size_bits();
    case CapType::kEndpoint:
      return Word{1} << abi::kEndpointBits;
    case CapType::kNotification:
      return Word{1} << abi::kNotificationBits;
    case CapType::kReply:
      return Word{1} << abi::kReplyBits;
    case CapType::kCNode:
      return Word{1} << (cap.radix() + abi::kSlotBits);
    case CapType::kTcb:
      return Word{1} << abi::kTcbBits;
    case CapType::kSchedContext:
      return Word{1} << cap.sched_context_size_bits();
    case CapType::kZombie:
      return cap.zombie_is_tcb() ? Word{1} << abi::kTcbBits
                                 : Word{1} << (cap.radix() + abi::kSlotBits);
    case CapType::kPage:
      return Word{1} << page_size_bits(cap.page_size());
    case CapType::kPageTable:
    case CapType::kPageDirectory:
    case CapType::kPdpt:
    case CapType::kPml4:
    case CapType::kIoPageTable:
    case CapType::kAsidPool:
      return Word{1} << abi::kPageTableBits;
    default:
      return 0;
  }
}

bool covers(const Cap& a, const Cap& b) {
  switch (a.type()) {
    case CapType::kUntyped:
      return memory_covers(a, b);
    case CapType::kEndpoint:
    case CapType::kNotification:
    case CapType::kReply:
    case CapType::kTcb:
    case CapType::kSchedContext:
      return a.names_same(b);
    case CapType::kCNode:
      return b.is(CapType::kCNode) && a.paddr() == b.paddr() && a.radix() == b.radix();
    case CapType::kSchedControl:
      return b.is(CapType::kSchedControl) && a.raw1() == b.raw1();
    case CapType::kDomain:
      return b.is(CapType::kDomain);
    case CapType::kIrqControl:
      return b.is(CapType::kIrqControl) || b.is(CapType::kIrqHandler);
    case CapType::kIrqHandler:
      return b.is(CapType::kIrqHandler) && a.irq() == b.irq();
    default:
      return is_arch_type(a.type()) && is_arch_type(b.type()) && arch::same_region(a, b);
  }
}

bool same_object(const Cap& a, const Cap& b) {
  if (a.is(CapType::kUntyped) || a.is(CapType::kIrqControl)) return false;
  if (is_arch_type(a.type()) && is_arch_type(b.type())) return arch::same_object(a, b);
  return covers(a, b);
}

bool is_derived_from(const Slot& child, const Slot& parent) {
  if (!parent.node.original() || !covers(parent.cap, child.cap)) return false;
  const bool badged =
      (parent.cap.is(CapType::kEndpoint) || parent.cap.is(CapType::kNotification)) &&
      parent.cap.badge() != 0;
  if (!badged) return true;
  return child.cap.badge() == parent.cap.badge() && !child.node.first_badged();
}

bool is_final(const Slot& slot) {
  const Slot* prev = slot.node.prev();
  const Slot* next = slot.node.next();
  return (prev == nullptr || !same_object(prev->cap, slot.cap)) &&
         (next == nullptr || !same_object(slot.cap, next->cap));
}

bool is_long_running(const Slot& slot) {
  switch (slot.cap.type()) {
    case CapType::kCNode:
    case CapType::kTcb:
    case CapType::kZombie:
      return is_final(slot);
    default:
      return false;
  }
}

void insert_root(Slot& slot, const Cap& cap) {
  slot.cap = cap;
  link(slot, &derivation_anchor, derivation_anchor.node.next());
  slot.node.set_marks(true, true);
}

void insert_child(Slot& parent, Slot& slot, const Cap& cap) {
  slot.cap = cap;
  link(slot, &parent, parent.node.next());
  slot.node.set_marks(true, true);
}

void insert_copy(Slot& source, Slot& slot, const Cap& cap) {
  const bool original = copy_is_original(cap, source.cap);
  if (source.cap.is(CapType::kUntyped) && cap.is(CapType::kUntyped)) {
    // Two caps now give out the same memory: only the copy may, until it is gone.
    source.cap.set_untyped(Word{1} << source.cap.untyped_size_bits(), 0);
  }
  slot.cap = cap;
  link(slot, &source, source.node.next());
  slot.node.set_marks(original, original);
}

void move_slot(Slot& from, Slot& to, const Cap& cap) {
  const DerivationNode node = from.node;
  to.cap = cap;
  from.cap = Cap();
  from.node = DerivationNode();
  to.node = node;
  link(to, node.prev(), node.next());
}

void swap_slots(Slot& a, const Cap& cap_for_a, Slot& b, const Cap& cap_for_b) {
  if (&a == &b) return;
  const DerivationNode node_a = a.node;
  const DerivationNode node_b = b.node;
  a.cap = cap_for_a;
  b.cap = cap_for_b;
  // A neighbour that is the other slot of the pair is where this one goes itself.
  auto other = [&](Slot* neighbour) -> Slot* {
    return neighbour == &a ? &b : neighbour == &b ? &a : neighbour;
  };
  a.node = node_b;
  b.node = node_a;
  Slot* const a_prev = other(node_b.prev());
  Slot* const a_next = other(node_b.next());
  Slot* const b_prev = other(node_a.prev());
  Slot* const b_next = other(node_a.next());
  link(a, a_prev, a_next);
  link(b, b_prev, b_next);
}

bool remove_copies(Slot& parent, unsigned most) {
  const bool badged =
      (parent.cap.is(CapType::kEndpoint) || parent.cap.is(CapType::kNotification)) &&
      parent.cap.badge() != 0;
  Slot* child = parent.node.next();
  bool first_badged = false;
  for (; most > 0 && child != nullptr && parent.cap.names_same(child->cap); --most) {
    if (badged && (child->cap.badge() != parent.cap.badge() || child->node.first_badged())) break;
    Slot* const next = child->node.next();
    first_badged |= child->node.first_badged();
    child->cap = Cap();
    child->node = DerivationNode();
    child = next;
  }
  parent.node.set_next(child);
  if (child != nullptr) {
    child->node.set_prev(&parent);
    if (first_badged) child->node.set_marks(child->node.original(), true);
  }
  return most > 0;
}

void remove_slot(Slot& slot) {
  Slot* const prev = slot.node.prev();
  Slot* const next = slot.node.next();
  if (prev != nullptr) prev->node.set_next(next);
  if (next != nullptr) {
    next->node.set_prev(prev);
    // With the first cap of a badge gone, the next of that badge becomes the first: it must not
    // turn into a child of an older sibling with the same badge.
    if (slot.node.first_badged()) next->node.set_marks(next->node.original(), true);
  }
  slot.cap = Cap();
  slot.node = DerivationNode();
}

}  // namespace lona::kernel
