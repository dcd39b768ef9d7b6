// SPDX-License-Identifier: BSD-2-Clause
// Making and revoking objects, and the methods of CNodes.
#include <cstring>

#include "bench/kernel/rows.hpp"
#include "bench/kernel/worker.hpp"

namespace lona::bench {

namespace {

using test::make;
using test::new_slot;
using test::slot_address;

Op retype(CPtr untyped, ObjectType type, Word size_bits, CPtr first, Word count) {
  return invocation(untyped, Label::kUntypedRetype, {abi::kSlotInitCNode},
                    {static_cast<Word>(type), size_bits, 0, 0, first, count});
}
Op revoke(CPtr slot) {
  return invocation(abi::kSlotInitCNode, Label::kCNodeRevoke, {}, {slot, abi::kWordBits});
}
Op remove(CPtr slot) {
  return invocation(abi::kSlotInitCNode, Label::kCNodeDelete, {}, {slot, abi::kWordBits});
}

constexpr unsigned kMost = 256;

// 256 neighbouring slots for everything here.
CPtr slots() {
  static constinit CPtr first = 0;
  if (first == 0) {
    first = new_slot();
    for (unsigned i = 1; i < kMost; ++i) (void)new_slot();
  }
  return first;
}

struct Kind {
  std::string_view name;
  ObjectType type;
  Word size_bits;
  unsigned count;
  unsigned memory_bits;  // of the untyped that the objects fill at least in part
};
constexpr Kind kKinds[] = {
    {"retype: 1 endpoint", ObjectType::kEndpoint, 0, 1, 12},
    {"retype: 256 endpoints", ObjectType::kEndpoint, 0, 256, 12},
    {"retype: 1 notification", ObjectType::kNotification, 0, 1, 12},
    {"retype: 1 reply", ObjectType::kReply, 0, 1, 12},
    {"retype: 1 TCB", ObjectType::kTcb, 0, 1, 12},
    {"retype: 1 sched context (2^7)", ObjectType::kSchedContext, 7, 1, 12},
    {"retype: 1 CNode of 256 slots (8K)", ObjectType::kCNode, 8, 1, 13},
    {"retype: 1 4K frame", ObjectType::kPage4K, 0, 1, 12},
    {"retype: 256 4K frames", ObjectType::kPage4K, 0, 256, 20},
    {"retype: 1 page table", ObjectType::kPageTable, 0, 1, 12},
    {"retype: 1 PML4", ObjectType::kPml4, 0, 1, 12},
    {"retype: 1 untyped 4K", ObjectType::kUntyped, 12, 1, 12},
};
constexpr unsigned kRepetitions = 5;

void kind_rows(const Kind& kind) {
  Row fresh, revoked, again;
  for (unsigned i = 0; i < kRepetitions; ++i) {
    const CPtr memory = make(ObjectType::kUntyped, kind.memory_bits);
    fresh.run(retype(memory, kind.type, kind.size_bits, slots(), kind.count));
    revoked.run(revoke(memory));
    again.run(retype(memory, kind.type, kind.size_bits, slots(), kind.count));
    CHECK_OK(abi::cnode_revoke(slot_address(memory)));
  }
  fresh.print(kind.name, " (fresh memory)");
  revoked.print(kind.name, ": revoke of those objects");
  again.print(kind.name, " (after revoke: includes zeroing the reused memory)");
}

void revoke_children(CPtr endpoint, unsigned children, std::string_view name) {
  Row row;
  for (unsigned i = 0; i < kRepetitions; ++i) {
    for (unsigned child = 0; child < children; ++child) {
      CHECK_OK(abi::cnode_mint(slot_address(slots() + child), slot_address(endpoint),
                               abi::kAllRights, child + 1));
    }
    row.run(revoke(endpoint));
  }
  row.print("cnode: Revoke endpoint, children=", name);
}

Op two_slots(Label label, CPtr to, CPtr from, std::initializer_list<Word> more) {
  Word words[6] = {to, abi::kWordBits, from, abi::kWordBits, 0, 0};
  std::copy(more.begin(), more.end(), words + 4);
  Op op = invocation(abi::kSlotInitCNode, label, {abi::kSlotInitCNode},
                     {words[0], words[1], words[2], words[3], words[4], words[5]});
  op.info =
      MessageInfo(abi::detail::wire_label(label), 0, 1, 4 + static_cast<unsigned>(more.size()))
          .raw();
  return op;
}

void copy_and_delete_rows(CPtr endpoint) {
  Row copy, deletion, mint, move;
  const CPtr a = slots(), b = slots() + 1;
  while (!copy.full()) {
    copy.run(two_slots(Label::kCNodeCopy, a, endpoint, {abi::kAllRights.raw()}));
    deletion.run(remove(a));
    mint.run(two_slots(Label::kCNodeMint, a, endpoint, {abi::kAllRights.raw(), 42}));
    move.run(two_slots(Label::kCNodeMove, b, a, {}));
    CHECK_OK(abi::cnode_delete(slot_address(b)));
  }
  copy.print("cnode: Copy endpoint cap");
  deletion.print("cnode: Delete (non-final copy)");
  mint.print("cnode: Mint endpoint cap with badge");
  move.print("cnode: Move");
}

void rotate_row() {
  const CPtr a = make(ObjectType::kTcb), b = make(ObjectType::kTcb);
  Row row;
  while (!row.full()) {
    row.run(invocation(abi::kSlotInitCNode, Label::kCNodeRotate,
                       {abi::kSlotInitCNode, abi::kSlotInitCNode},
                       {a, abi::kWordBits, 0, b, abi::kWordBits, 0, a, abi::kWordBits}));
  }
  row.print("cnode: Rotate (2-way swap, TCB caps)");
}

void deletion_rows() {
  Row empty, final;
  const CPtr memory = make(ObjectType::kUntyped, 12);
  while (!empty.full()) {
    empty.run(remove(slots()));
    CHECK_OK(abi::untyped_retype(memory, ObjectType::kEndpoint, 0, {abi::kSlotInitCNode, 0, 0},
                                 slots(), 1));
    final.run(remove(slots()));
  }
  empty.print("cnode: Delete on empty slot");
  final.print("cnode: Delete final endpoint cap");
}

}  // namespace

void retype_rows() {
  for (const Kind& kind : kKinds) kind_rows(kind);
}

void cnode_rows() {
  const CPtr endpoint = make(ObjectType::kEndpoint);
  copy_and_delete_rows(endpoint);
  rotate_row();
  deletion_rows();
  revoke_children(endpoint, 0, "0");
  revoke_children(endpoint, 1, "1");
  revoke_children(endpoint, 4, "4");
  revoke_children(endpoint, 16, "16");
  revoke_children(endpoint, 64, "64");
  revoke_children(endpoint, 256, "256");
}

}  // namespace lona::bench
