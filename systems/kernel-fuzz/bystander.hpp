// SPDX-License-Identifier: BSD-2-Clause
// A thread that has nothing to do with the puppets and must not notice them.
#pragma once

#include "systems/kernel-fuzz/machine.hpp"

namespace lona::fuzz {

// Starts it; `untyped` gives its memory.
void start_bystander(CPtr untyped);
// Rounds it has made so far, each with all registers and a page of memory as they were left.
Word bystander_beats();
// It saw something change.
bool bystander_hurt();

}  // namespace lona::fuzz
