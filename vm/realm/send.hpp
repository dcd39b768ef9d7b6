// SPDX-License-Identifier: BSD-2-Clause
// For natives: what goes to processes of other realms.
#pragma once

#include "vm/process/process.hpp"
#include "vm/realm/realms.hpp"

namespace lona::vm {

// The native's result: :ok, also when no channel leads there; or the process fails; or it waits,
// and the native is called again.
Term send_to_realm(Process& p, std::uint32_t realm, Frame::Kind kind, Word target, Term value);

// The same for monitor, link, unlink and exit, of a process of another realm.
Term monitor_in_realm(Process& p, Term pid, std::uint64_t ref);
Term link_to_realm(Process& p, Term pid);
Term unlink_in_realm(Process& p, Term pid);
Term exit_in_realm(Process& p, Term pid, Term reason);

}  // namespace lona::vm
