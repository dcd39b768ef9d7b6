// SPDX-License-Identifier: BSD-2-Clause
// A last piece of memory, kept so that a native function that runs out of memory may finish its
// step before its process ends. One user at a time takes all of it; the realm's out-of-memory
// handling gives it back.
#pragma once

#include <cstddef>

namespace lona::vm {

class Reserve {
 public:
  // Maps the reserve; false without memory. Called once at start.
  static bool prepare();
  // Memory of at least `bytes` (rounded up to what was given), or null.
  static void* take(std::size_t& bytes);
  // True when the memory was the reserve's.
  static bool give_back(const void* memory);
};

}  // namespace lona::vm
