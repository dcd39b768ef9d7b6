// SPDX-License-Identifier: BSD-2-Clause
// What every small root task for this ABI begins with: its first instructions, its boot info, slots
// one after the other, and the memory to make things of. Tests, benchmarks and the fuzz system
// stand on it; each prints in its own way.
#pragma once

#include <string_view>

#include "abi/sel4/boot_info.hpp"
#include "abi/sel4/objects.hpp"

extern "C" {
// Where the program goes on; its stack has 16 KiB. It tells `root::info` first.
[[noreturn]] void root_main(const lona::abi::BootInfo* boot_info);
}

namespace lona::root {

using abi::CPtr;
using abi::Word;

extern const abi::BootInfo* info;

// Slots are taken one after the other; what was taken since a mark can be given back at once.
CPtr new_slot();
CPtr slot_mark();
void slot_release(CPtr mark);
abi::SlotAddress slot_address(CPtr slot);

// The largest untyped of RAM.
CPtr largest_untyped();

void print_number(Word number, void (*print)(std::string_view text));

}  // namespace lona::root
