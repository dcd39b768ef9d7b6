// SPDX-License-Identifier: BSD-2-Clause
// What a fault of a realm means, in words.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/elf.hpp"
#include "base/format.hpp"
#include "manager/function_names.hpp"
#include "manager/region_table.hpp"

namespace lona::manager {

// Writes one line about the fault message with that label and those words. `image` gives the names
// of functions and may be null.
void describe_fault(base::TextWriter& out, std::string_view realm, std::uint64_t label,
                    std::span<const std::uint64_t> words, const RegionTable& regions,
                    const base::ElfFile* image);

// The same, without the name of a realm, for a fault of the manager's own.
void describe_own_fault(base::TextWriter& out, std::uint64_t label,
                        std::span<const std::uint64_t> words, const FunctionNames& names);

}  // namespace lona::manager
