// SPDX-License-Identifier: BSD-2-Clause
// The first byte of each value on the wire, and what comes behind it.
#pragma once

#include <cstdint>

namespace lona::vm::wire {

enum class Code : std::uint8_t {
  kNil,
  kFalse,
  kTrue,
  kEmptyList,
  kCharacter,  // u32
  kInteger,    // u64: a small integer
  kBignum,     // u8 negative, u32 limbs, limbs
  kRatio,      // two integers
  kFloat,      // u64
  kFloat32,    // u32
  kFixed,      // u8 NumberType, u64
  kString,     // u32 bytes, bytes
  kSymbol,     // u16 bytes, bytes
  kKeyword,
  kBinary,    // u32 bytes, bytes
  kPid,       // u32 realm, u64
  kRef,       // u32 realm, u64
  kRealm,     // u32
  kMachine,   // u8 MachineType, u64
  kList,      // u32 elements, elements
  kListTail,  // likewise, then the tail, which is no list
  kTuple,     // u32, elements
  kVector,
  kMap,  // u32 entries, keys and values
  kSet,
  kCapability,    // u8 MachineType, u8 rights, u64 number
  kSharedString,  // u64 number of a shared binary, u32 offset, u32 bytes
  kSharedBinary,
};

}  // namespace lona::vm::wire
