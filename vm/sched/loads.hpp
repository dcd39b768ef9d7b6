// SPDX-License-Identifier: BSD-2-Clause
// How do definitions come into effect: at once, or together with others (code/definition.hpp)?
//
// A process holds back what it defines from hold_definitions to the release_definitions that
// belongs to it; loading a file does so. Processes that it starts meanwhile belong to the load,
// too: they see what it has defined, and what they define is held back with the rest. When it ends
// before, all of it is dropped: that is what a file with an error does.
//
// What a file that was never loaded before gives a first value has it at once: nobody knows of it
// yet but whom the file tells, and he is to find it.
#pragma once

#include "vm/code/var.hpp"
#include "vm/process/process.hpp"
#include "vm/vm.hpp"

namespace lona::vm {

enum class NewNames : bool { kAtOnce, kHeld };
// The first of several, one inside another, says what is done with names without a value. False
// without memory.
[[nodiscard]] bool hold_definitions(Process& p, NewNames names);
// All that was held back comes into effect, if that was the first hold_definitions. False: there
// was none.
bool release_definitions(Process& p);
// The process ends.
void drop_definitions(Process& p);
// Of a process that has ended like that: how many.
std::uint64_t dropped_definitions(const Process& p);

// The load that a process belongs to, or null.
inline const Load* view_of(const Process& p) {
  return p.load_;
}

// Defines a var of this realm. All terms are permanent. False without memory.
[[nodiscard]] bool define_var(Process& p, Var& var, const Definition& definition);
// Without a load, whatever others hold back.
[[nodiscard]] bool define_now(Vm::State& s, Var& var, const Definition& definition);

}  // namespace lona::vm
