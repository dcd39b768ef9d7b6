// SPDX-License-Identifier: BSD-2-Clause
// Declares the natives of natives_data.def.
#pragma once

#include "vm/native/native.hpp"
#include "vm/process/process.hpp"

namespace lona::vm::natives {

#define LONA_NATIVE(name, min, max, function, arglists, doc) Term function(Process&, Args);
#include "vm/native/natives_data.def"
#undef LONA_NATIVE

// A value as `str` shows it: strings as they are, nil as nothing. `absent`: no memory.
Term display_string(Process& process, Term value);

// A result that a builder gives as `absent` when memory has run out.
inline Term or_oom(Process& process, Term result) {
  return result == Term::absent() ? process.fail_oom() : result;
}

// Arguments `first` and `first` + 1 as offset and number of elements; without them all of `size`.
// False after failing the process.
bool range_arguments(Process& process, const char* fn, Args args, std::uint32_t first,
                     std::size_t size, std::size_t& offset, std::size_t& count);

// The byte offset of character `index` <= count in the string `s`; charges for walking there.
std::size_t text_offset(Process& process, Term s, std::size_t index);

// Charges for looking at `items` things of which about eight fit in one reduction.
inline void charge_items(Process& process, std::size_t items) {
  process.charge(static_cast<std::uint32_t>(items / 8 < 1'000'000 ? items / 8 : 1'000'000));
}

}  // namespace lona::vm::natives
