// SPDX-License-Identifier: BSD-2-Clause
// Values as bytes, for messages between realms. Each value is a byte that says what it is, then its
// content; numbers are little endian; parts of a whole follow it.
//
// Pids and references carry their realm, so they come home as what they were. A capability is what
// its realm offers (vm/realm/capabilities.hpp). Metadata stays behind. What only its own realm can
// use is refused: functions, vars, namespaces, byte buffers.
//
// Who sent the bytes may be hostile: `decode` accepts only what `encode` could have made, does not
// recurse, and makes at most some sixteen bytes for each byte it is given.
#pragma once

#include <cstdint>
#include <span>

#include "vm/data/machine_value.hpp"
#include "vm/heap/heap.hpp"
#include "vm/session/byte_buffer.hpp"

namespace lona::vm {
class OutgoingBinaries;
class IncomingBinaries;
}  // namespace lona::vm

namespace lona::vm::wire {

enum class Encoded : std::uint8_t { kOk, kNotSendable, kTooLong, kNoMemory, kTooMany };

// What a capability is in a message: the number of an offer to the receiver; 0 is worth nothing.
// And who hears of the own pids that others are told, and of the part that is not sendable.
struct Offers {
  void* context;
  Encoded (*offer)(void* context, const Capability& cap, std::uint64_t& number) = nullptr;
  void (*told)(void* context, Term pid) = nullptr;
  Term* refused = nullptr;
};

// Appends the value to `out`, which stays below `most` bytes; when that is impossible, `out` is
// longer by some part of it.
// Without an `offer` capabilities are not sendable. kTooMany: capabilities were offered. With
// `binaries` long strings and binaries can be shared (binaries.hpp), here and when it is decoded.
Encoded encode(Term value, std::uint32_t own_realm, ByteBuffer& out, std::size_t most,
               const Offers* offers = nullptr, OutgoingBinaries* binaries = nullptr);

// What may be made of bytes of one peer.
struct Limits {
  std::uint32_t own_realm;
  std::size_t names_left;  // bytes of names that are new to this realm: they stay for ever
  std::uint32_t peer = ~std::uint32_t{0};  // the realm that has sent them
  bool no_memory = false;                  // set when that was why there is no value
};

// The value, or `absent`: the bytes are no value, or there is no memory or no quota for it.
Term decode(Heap& heap, std::span<const std::uint8_t> bytes, Limits& limits,
            IncomingBinaries* binaries = nullptr);

}  // namespace lona::vm::wire
