// SPDX-License-Identifier: BSD-2-Clause
// The lists of all natives. A list is a file of lines
//   LONA_NATIVE("name", min_args, max_args, function, "([arglist])", "Docstring.")
// where `function` is `Term function(Process&, Args)` in namespace lona::vm::natives and the name
// may be qualified ("lona.process/spawn"). max_args is Native::kVariadic for any number. To add a
// list, include it here.
//
// Included several times with different definitions of LONA_NATIVE; so no #pragma once.
#include "vm/native/natives_system.def"
#if __has_include("vm/native/natives_data.def")
#include "vm/native/natives_data.def"
#endif
#include "vm/native/natives_binary.def"
#include "vm/native/natives_kernel.def"
#include "vm/native/natives_machine.def"
#include "vm/native/natives_realm.def"
#include "vm/native/natives_region.def"
#if __has_include("vm/native/natives_console.def")
#include "vm/native/natives_console.def"
#endif
