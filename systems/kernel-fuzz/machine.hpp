// SPDX-License-Identifier: BSD-2-Clause
// What the fuzz system needs of the machine: words for the person, and numbers from the person.
#pragma once

#include <string_view>

#include "systems/root_task.hpp"

namespace lona::fuzz {

using abi::CPtr;
using abi::Error;
using abi::ObjectType;
using abi::Word;

using root::info;
using root::new_slot;
using root::slot_address;
using root::slot_mark;
using root::slot_release;

void print(std::string_view text);
void print_number(Word number);
// Says where the run failed and stops the machine.
[[noreturn]] void fail(std::string_view what);
// An invocation of the root task itself that must not fail.
void must(Error error, std::string_view what);

// `-fw_cfg name=opt/lona/NAME,string=NUMBER` on QEMU's command line.
Word setting(std::string_view name, Word otherwise);

}  // namespace lona::fuzz
