// SPDX-License-Identifier: BSD-2-Clause
// The same as wire.hpp for a message that goes straight to its receiver, or comes from its sender:
// long strings and binaries in it can be shared (binaries.hpp).
#pragma once

#include "vm/realm/binaries.hpp"
#include "vm/realm/wire.hpp"

namespace lona::vm::wire {

Encoded encode(Term value, std::uint32_t own_realm, ByteBuffer& out, std::size_t most,
               const Offers* offers, OutgoingBinaries* binaries);
Term decode(Heap& heap, std::span<const std::uint8_t> bytes, Limits& limits,
            IncomingBinaries* binaries);

}  // namespace lona::vm::wire
