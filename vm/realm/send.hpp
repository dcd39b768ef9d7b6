// SPDX-License-Identifier: BSD-2-Clause
// For natives: what goes to another realm.
#pragma once

#include "vm/process/process.hpp"
#include "vm/realm/realms.hpp"

namespace lona::vm {

// The native's result: :ok, also when no channel leads there; or the process fails; or it waits,
// and the native is called again.
Term send_to_realm(Process& p, std::uint32_t realm, Frame::Kind kind, Word target, Term value);

}  // namespace lona::vm
