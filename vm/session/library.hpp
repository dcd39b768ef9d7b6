// SPDX-License-Identifier: BSD-2-Clause
// Where does a VM get the library from? From the core image when there is one that fits, else by
// compiling its source.
#pragma once

#include "vm/vm.hpp"

namespace lona::vm {

// Namespaces that every program sees without asking (besides lona.core).
inline constexpr std::string_view kUserNamespace = "lona.user";

// The one Vm with the library loaded and lona.user made. What goes wrong on the way is told on
// standard error and ends the VM. `hooks` see nothing of the loading.
Vm& create_vm_with_library(VmOptions options, Hooks* hooks);

// Of the library's source text.
std::uint64_t library_hash();

}  // namespace lona::vm
