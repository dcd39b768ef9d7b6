// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string_view>

// The kernel's own words: the first serial port, one byte at a time. Only a debug kernel writes
// in normal operation; a panic writes always.

namespace lona::kernel {

void console_init();
void console_put(char character);
void console_write(std::string_view text);

}  // namespace lona::kernel
