// SPDX-License-Identifier: BSD-2-Clause
// Values that name things of the machine below. They are no numbers, so that none is taken for the
// other: physical addresses, virtual addresses, what describes a message of the kernel's, and
// capabilities. A capability's word is its slot, which means something in its own realm only; none
// can be made from a number, and none leaves the realm.
#pragma once

#include "vm/heap/heap.hpp"

namespace lona::vm {

enum class MachineType : Word {
  kPhysicalAddress,
  kVirtualAddress,
  kMessageInfo,  // a word as in the kernel's ABI: label, capabilities, length
  kNotification,
  kRegion,  // its number; whether the realm may use it is asked of the memory manager
};

inline bool is_machine_value(Term t, MachineType type) {
  return is_kind(t, Kind::kMachine) && payload(t)[0] == static_cast<Word>(type);
}
inline MachineType machine_type(Term t) {
  return static_cast<MachineType>(payload(t)[0]);
}
inline const char* machine_type_name(MachineType type) {
  constexpr const char* kNames[] = {"paddr", "vaddr", "msg-info", "notification", "region"};
  return kNames[static_cast<Word>(type)];
}
inline bool is_capability(Term t) {
  return is_machine_value(t, MachineType::kNotification);
}
inline Word machine_word(Term t) {
  return payload(t)[1];
}
inline Term make_machine_value(Heap& heap, MachineType type, Word word) {
  Word* box = heap.alloc_box(Kind::kMachine, 2);
  box[1] = static_cast<Word>(type);
  box[2] = word;
  return Term::boxed(box);
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

}  // namespace lona::vm
