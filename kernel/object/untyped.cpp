// SPDX-License-Identifier: BSD-2-Clause
// Who zeroes memory, and when? User memory and new objects must be zero, but to zero all RAM at
// boot would take long. So:
//   - An untyped is clean, then all behind its handed-out part is zero, or it may hold anything.
//   - The ones of the boot are not clean. What is made of these is zeroed when it is made; a small
//     untyped is made clean that way, a large one inherits what its parent is.
//   - What is made of a clean untyped costs no zeroing. When all of it has come back, the part that
//     was handed out is zeroed before the next retype.
// For much memory an interrupt may come in between: the cap then remembers how far the work got,
// and making the call again goes on from there.
#include "kernel/object/untyped.hpp"

#include "kernel/api/entry.hpp"
#include "kernel/arch/arch.hpp"
#include "kernel/check/latency.hpp"
#include "kernel/object/derivation.hpp"
#include "kernel/object/lookup.hpp"

namespace lona::kernel {

unsigned object_size_bits(abi::ObjectType type, Word size_argument) {
  const auto size = static_cast<unsigned>(size_argument);
  switch (type) {
    case abi::ObjectType::kUntyped:
    case abi::ObjectType::kSchedContext:
      return size;
    case abi::ObjectType::kCNode:
      return size + abi::kSlotBits;
    case abi::ObjectType::kTcb:
      return abi::kTcbBits;
    case abi::ObjectType::kEndpoint:
      return abi::kEndpointBits;
    case abi::ObjectType::kNotification:
      return abi::kNotificationBits;
    case abi::ObjectType::kReply:
      return abi::kReplyBits;
    default:
      return arch::object_size_bits(type);
  }
}

namespace {

struct Retype {
  Slot& parent;
  abi::ObjectType type;
  unsigned size_bits;
  bool device;
  Slot* slots;
  Word count;
  Word start;  // offset of the first object

  Word bytes() const { return count << size_bits; }
};

// What an object needs besides zeroes.
void prepare(abi::ObjectType type, const Cap& cap) {
  switch (type) {
    case abi::ObjectType::kTcb:
      return create_tcb(*cap.object<Tcb>());
    case abi::ObjectType::kUntyped:
    case abi::ObjectType::kEndpoint:
    case abi::ObjectType::kNotification:
    case abi::ObjectType::kCNode:
    case abi::ObjectType::kSchedContext:
    case abi::ObjectType::kReply:
      return;
    default:
      return arch::prepare_object(type, cap);
  }
}

Cap first_cap(abi::ObjectType type, PhysAddr address, unsigned size_bits, bool device) {
  switch (type) {
    case abi::ObjectType::kUntyped:
      return Cap::untyped(address, size_bits, device);
    case abi::ObjectType::kTcb:
      return Cap::tcb(address);
    case abi::ObjectType::kEndpoint:
      return Cap::endpoint(address, abi::kAllRights, 0);
    case abi::ObjectType::kNotification:
      return Cap::notification(address, abi::kAllRights, 0);
    case abi::ObjectType::kCNode:
      return Cap::cnode(address, size_bits - abi::kSlotBits, 0, 0);
    case abi::ObjectType::kSchedContext:
      return Cap::sched_context(address, size_bits);
    case abi::ObjectType::kReply:
      return Cap::reply(address);
    default:
      return arch::cap_of_object(type, address, device);
  }
}

Cap create(abi::ObjectType type, PhysAddr address, unsigned size_bits, bool device) {
  const Cap cap = first_cap(type, address, size_bits, device);
  prepare(type, cap);
  return cap;
}

// Zeroed between two preemption points: some two thousand instructions.
constexpr Word kChunk = Word{1} << 15;
constexpr Word kUnit = Word{1} << Cap::kZeroedUnitBits;
static_assert(kUnit < kChunk, "each chunk is progress that can be remembered");

// Larger ones are not worth their zeroing, of which much may be in vain: who divides a block of
// many megabytes by halves, to use a little of it, would pay for all of it. With less than a
// megabyte a realm is made 40,000 instructions sooner, but 256 frames cost eight times as much.
constexpr unsigned kMaxCleanBits = 20;

// Zeroes the memory of the new objects; false: an interrupt waits.
bool zero_memory(const Retype& r) {
  Cap& cap = r.parent.cap;
  const Word end = r.start + r.bytes();
  Word zero_until = cap.untyped_allocated() + cap.untyped_zeroed();
  Word at = zero_until > r.start ? zero_until : r.start;
  while (at < end) {
    const Word step = end - at < kChunk ? end - at : kChunk;
    arch::zero(from_phys<void>(cap.paddr() + at), step);
    at += step;
    // After a whole chunk also at the end: the objects are still to be made.
    if (step == kChunk && preemption_point()) {
      // The gap before an aligned object is lost to it anyway; it is not zero.
      Word done = (at - r.start) & ~(kUnit - 1);
      if (done > Cap::kMaxZeroed) done = Cap::kMaxZeroed;
      cap.set_untyped(r.start, done);
      return false;
    }
  }
  return true;
}

// Takes back what a clean untyped had handed out, from behind; false: an interrupt waits.
bool reset_clean(Cap& cap) {
  Word allocated = cap.untyped_allocated();
  while (allocated != 0) {
    const Word step = (allocated - 1) % kChunk + 1;
    allocated -= step;
    arch::zero(from_phys<void>(cap.paddr() + allocated), step);
    cap.set_untyped(allocated, 0);
    if (allocated != 0 && preemption_point()) return false;
  }
  return true;
}

bool needs_zeroing(const Retype& r) {
  if (r.device || r.parent.cap.untyped_is_clean()) return false;
  return r.type != abi::ObjectType::kUntyped || r.size_bits <= kMaxCleanBits;
}

Done invoke_retype(const Retype& r) {
  Cap& parent = r.parent.cap;
  const bool zeroed = needs_zeroing(r);
  if (zeroed && !zero_memory(r)) return Done{Done::kPreempted, 0};
  parent.set_untyped(r.start + r.bytes(), 0);
  Cap cap = create(r.type, parent.paddr() + r.start, r.size_bits, r.device);
  if (r.type == abi::ObjectType::kUntyped) {
    cap.set_untyped_clean(zeroed || parent.untyped_is_clean());
  }
  for (Word i = 0;;) {
    insert_child(r.parent, r.slots[i], cap);
    if (++i == r.count) return Done{};
    cap.move_by(Word{1} << r.size_bits);
    prepare(r.type, cap);
  }
}

Result<unsigned> check_size(abi::ObjectType type, Word size) {
  if (static_cast<Word>(type) >= abi::kObjectTypeCount) return fail(Failure::invalid_argument(0));
  if (size >= abi::kWordBits) return fail(Failure::range(0, abi::kMaxUntypedBits));
  const unsigned bits = object_size_bits(type, size);
  if (bits == 0 && type != abi::ObjectType::kUntyped && type != abi::ObjectType::kSchedContext) {
    return fail(Failure::invalid_argument(0));
  }
  if (bits > abi::kMaxUntypedBits) return fail(Failure::range(0, abi::kMaxUntypedBits));
  const bool too_small =
      (type == abi::ObjectType::kCNode && size == 0) ||
      (type == abi::ObjectType::kUntyped && size < abi::kMinUntypedBits) ||
      (type == abi::ObjectType::kSchedContext && size < abi::kMinSchedContextBits);
  if (too_small) return fail(Failure::invalid_argument(1));
  return bits;
}

struct Window {
  Slot* slots;
  Word count;
};

Result<Window> check_window(Invocation& inv) {
  const Word depth = inv.arg(3);
  const Word offset = inv.arg(4);
  const Word count = inv.arg(5);
  Cap node = inv.extra[0]->cap;
  if (depth != 0) node = TRY(lookup_target_slot(node, inv.arg(2), depth))->cap;
  if (!node.is(CapType::kCNode)) {
    return fail(Failure::failed_lookup(false, LookupFault::missing(static_cast<unsigned>(depth))));
  }
  const Word size = Word{1} << node.radix();
  if (offset >= size) return fail(Failure::range(0, size - 1));
  if (count < 1 || count > abi::kRetypeFanOutLimit) {
    return fail(Failure::range(1, abi::kRetypeFanOutLimit));
  }
  if (count > size - offset) return fail(Failure::range(1, size - offset));
  Slot* const slots = node.object<Slot>() + offset;
  for (Word i = 0; i < count; ++i) TRY(ensure_empty(slots[i]));
  return Window{slots, count};
}

}  // namespace

Result<Done> decode_untyped(Invocation& inv) {
  if (inv.label != abi::Label::kUntypedRetype) return fail(Failure::illegal_operation());
  if (inv.too_short<abi::Label::kUntypedRetype>()) return fail(Failure::truncated());
  const auto type = static_cast<abi::ObjectType>(inv.arg(0));
  const unsigned bits = TRY(check_size(type, inv.arg(1)));
  const Window window = TRY(check_window(inv));

  Cap& cap = inv.slot->cap;
  const bool device = cap.untyped_is_device();
  const Word size = Word{1} << cap.untyped_size_bits();
  const bool reset = !has_children(*inv.slot) && cap.untyped_allocated() != 0;
  const Word allocated = reset ? 0 : cap.untyped_allocated();
  const Word free = size - allocated;
  if ((free >> bits) < window.count) return fail(Failure::not_enough_memory(free));
  if (device && type != abi::ObjectType::kUntyped && !arch::is_frame_type(type)) {
    return fail(Failure::invalid_argument(1));
  }

  if (reset) {
    if (cap.untyped_is_clean() && !reset_clean(cap)) return Done{Done::kPreempted, 0};
    cap.set_untyped(0, 0);
  }
  const Word mask = (Word{1} << bits) - 1;
  const Word start = (allocated + mask) & ~mask;
  return invoke_retype({*inv.slot, type, bits, device, window.slots, window.count, start});
}

}  // namespace lona::kernel
