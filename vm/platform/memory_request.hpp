// SPDX-License-Identifier: BSD-2-Clause
// Memory that a program asks for ahead, and gives back before its realm must.
#pragma once

#include <cstddef>

namespace lona::vm::platform {

// True: so many bytes more are set aside for the realm, now and not when they are used.
bool request_memory(std::size_t bytes);
// Gives back the pages that are kept for later.
void return_memory();

}  // namespace lona::vm::platform
