// SPDX-License-Identifier: BSD-2-Clause
// The two halves of the verifier: each instruction by itself, and what registers hold on every way.
#pragma once

#include "vm/bytecode/verify.hpp"

namespace lona::vm {

// Is all there that instructions name, and of the kind that they need?
bool well_formed(const Function& f, const CodeWorld& world);

// Null when every way through well-formed code is safe; else what is wrong.
const char* follow(const Function& f, const CodeWorld& world);

inline std::uint32_t parameter_count(const Function& f) {
  return f.required + (f.variadic ? 1u : 0u);
}

inline bool is_live(const Function& f, std::uint32_t map, std::uint32_t r) {
  return (f.live_maps[std::size_t{map} * f.live_words + r / 64] >> (r % 64) & 1) != 0;
}

}  // namespace lona::vm
