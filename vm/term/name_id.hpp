// SPDX-License-Identifier: BSD-2-Clause
// The number of a name: the same in every realm, whoever has interned the name, so that symbols and
// keywords are equal across realms without a table that they share.
//
// Two names of one number would be one value. Realms do not trust each other, so finding a name
// with the number of another one must be hopeless: the number is 61 bits of BLAKE2b (RFC 7693, a
// digest of 8 bytes, no key), which takes 2^60 tries. It is computed when a name is new only.
#pragma once

#include <string_view>

#include "vm/term/term.hpp"

namespace lona::vm {

// The bits of the term without its tag; never 0.
std::uint64_t name_id(std::string_view full);

}  // namespace lona::vm
