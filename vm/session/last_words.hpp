// SPDX-License-Identifier: BSD-2-Clause
// What a VM that cannot go on says of itself: which process ran, in which function, at which line.
#pragma once

#include "vm/platform/platform.hpp"
#include "vm/vm.hpp"

namespace lona::vm {

// `process #<pid 5.1> (name) in user/f (file:3), from user/g (file:9)`; how long it is. Memory may
// be damaged: everything is looked at before it is followed, and if that is not enough, there is
// another fault and no report.
std::size_t write_last_words(const Vm& vm, unsigned worker, const platform::MachineState& at,
                             std::span<char> text);

// From now on the platform asks this VM.
void offer_last_words(Vm& vm);

// The same of a process that has ended, with its reason.
std::size_t write_end(const Process& process, std::span<char> text);

}  // namespace lona::vm
