// SPDX-License-Identifier: BSD-2-Clause
// Values that name things of the machine below. They are no numbers, so that none is taken for the
// other: physical addresses, virtual addresses, what describes a message of the kernel's, and
// capabilities. A message info may have the message's words behind its own.
//
// A capability's word is a slot of its realm and how often that slot was given out before, so a
// value stops to mean anything when its slot is given back. Beside its type are what is known of
// the object, and the realm. None can be made from a number. One that another realm has sent is
// that realm's number and that of its offer (vm/realm/capabilities.hpp).
#pragma once

#include <span>

#include "vm/heap/heap.hpp"

namespace lona::vm {

enum class MachineType : std::uint8_t {
  kPhysicalAddress,
  kVirtualAddress,
  kMessageInfo,  // a word as in the kernel's ABI: label, capabilities, length
  kRegion,       // its number; whether the realm may use it is asked of the memory manager
  // Capabilities from here on.
  kNotification,
  kEndpoint,
  kReply,
  kTcb,
  kCNode,
  kUntyped,
  kSchedContext,
  kFrame,
  kPml4,
  kPdpt,
  kPageDirectory,
  kPageTable,
  kIrqHandler,
  kSchedControl,
  kPorts,
  kIrqControl,  // this and the next: what the manager does on request
  kAsidPool,
  kNone,
};
inline constexpr const char* kMachineTypeNames[] = {
    "paddr", "vaddr",       "msg-info",       "region",     "notification",  "endpoint",
    "reply", "tcb",         "cnode",          "untyped",    "sched-context", "frame",
    "pml4",  "pdpt",        "page-directory", "page-table", "irq-handler",   "sched-control",
    "ports", "irq-control", "asid-pool"};
static_assert(std::size(kMachineTypeNames) == static_cast<std::size_t>(MachineType::kNone));

inline MachineType machine_type(Term t) {
  return static_cast<MachineType>(payload(t)[0] & 0xff);
}
inline bool is_machine_value(Term t, MachineType type) {
  return is_kind(t, Kind::kMachine) && machine_type(t) == type;
}
inline const char* machine_type_name(MachineType type) {
  return kMachineTypeNames[static_cast<Word>(type)];
}
inline bool is_capability(Term t) {
  return is_kind(t, Kind::kMachine) && machine_type(t) >= MachineType::kNotification;
}
inline Word machine_word(Term t) {
  return payload(t)[1];
}
// Room for `extra` words behind the value's own two.
inline Word* make_machine_box(Heap& heap, MachineType type, Word word, std::size_t extra) {
  Word* box = heap.alloc_box(Kind::kMachine, 2 + extra);
  box[1] = static_cast<Word>(type);
  box[2] = word;
  return box + 3;
}
inline Term make_machine_value(Heap& heap, MachineType type, Word word) {
  return Term::boxed(make_machine_box(heap, type, word, 0) - 3);
}

// What is known of the object that a capability is to.
struct ObjectKind {
  MachineType type = MachineType::kNone;
  std::uint8_t rights = 0;     // as in the kernel's ABI
  std::uint8_t size_bits = 0;  // of a CNode's slots, an untyped's bytes, a frame's
  std::uint8_t record = 0;     // of a CNode, its number in CNodeRecords; 0: none
  // In tables, not in values: the slot that it is a copy of, with how often that was given out
  // (slot << 16 | use; 0: nothing is known), and the badge that the copy has.
  std::uint32_t origin = 0;
  std::uint64_t badge = 0;

  // I/O ports have no size and no record, but a first port.
  constexpr std::uint64_t first_port() const { return std::uint64_t{record} << 8 | size_bits; }

  bool operator==(const ObjectKind&) const = default;
};
constexpr ObjectKind ports_from(std::uint64_t first) {
  return {.type = MachineType::kPorts,
          .rights = 3,
          .size_bits = static_cast<std::uint8_t>(first),
          .record = static_cast<std::uint8_t>(first >> 8)};
}

struct Capability {
  ObjectKind kind;
  std::uint32_t realm;
  std::uint32_t slot;
  std::uint32_t use;  // of the slot
};
inline Term make_capability(Heap& heap, const Capability& cap) {
  const Word what = static_cast<Word>(cap.kind.type) | Word{cap.kind.rights} << 8 |
                    Word{cap.kind.size_bits} << 16 | Word{cap.kind.record} << 24 |
                    Word{cap.realm} << 32;
  const Term made = make_machine_value(heap, cap.kind.type, Word{cap.slot} | Word{cap.use} << 32);
  const_cast<Word*>(payload(made))[0] = what;
  return made;
}
inline Capability capability_of(Term t) {
  const Word what = payload(t)[0], word = machine_word(t);
  return {.kind = {.type = machine_type(t),
                   .rights = static_cast<std::uint8_t>(what >> 8),
                   .size_bits = static_cast<std::uint8_t>(what >> 16),
                   .record = static_cast<std::uint8_t>(what >> 24)},
          .realm = static_cast<std::uint32_t>(what >> 32),
          .slot = static_cast<std::uint32_t>(word),
          .use = static_cast<std::uint32_t>(word >> 32)};
}

// A message info: label (52 bits), capabilities beside the message (2), its length in words (7).
struct MessageInfo {
  static constexpr unsigned kLengthBits = 7, kCapsBits = 2, kLabelShift = 12, kLabelBits = 52;
  Word label, length, caps;

  constexpr Word encode() const { return label << kLabelShift | caps << kLengthBits | length; }
  static constexpr MessageInfo decode(Word word) {
    return {word >> kLabelShift, word & ((Word{1} << kLengthBits) - 1),
            word >> kLengthBits & ((Word{1} << kCapsBits) - 1)};
  }
};
// The words that a message info carries; none: all are 0.
inline std::span<const Word> message_words(Term info) {
  return {payload(info) + 2, header_of(info).words() - 2};
}

}  // namespace lona::vm
