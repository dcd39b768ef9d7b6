// SPDX-License-Identifier: BSD-2-Clause
// What the fuzz system needs of the machine: words for the person, and numbers from the person.
#pragma once

#include <string_view>

#include "abi/sel4/boot_info.hpp"
#include "abi/sel4/objects.hpp"

namespace lona::fuzz {

using abi::CPtr;
using abi::Error;
using abi::ObjectType;
using abi::Word;

extern const abi::BootInfo* info;

void print(std::string_view text);
void print_number(Word number);
// Says where the run failed and stops the machine.
[[noreturn]] void fail(std::string_view what);
// An invocation of the root task itself that must not fail.
void must(Error error, std::string_view what);

// Slots are taken one after the other; a batch gives all of its back at once.
CPtr new_slot();
CPtr slot_mark();
void slot_release(CPtr mark);
abi::SlotAddress slot_address(CPtr slot);

// `-fw_cfg name=opt/lona/NAME,string=NUMBER` on QEMU's command line.
Word setting(std::string_view name, Word otherwise);

}  // namespace lona::fuzz
