// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <span>

#include "kernel/boot/root_task.hpp"

// The chunks behind the boot info page: memory map, ACPI root pointer, frame buffer, clock.

namespace lona::kernel {

// Bytes that all chunks take; the root task needs whole pages for them.
std::size_t extra_boot_info_bytes(const BootFacts& facts);

// Writes the chunks; `out` has at least that size. Returns the bytes written.
std::size_t write_extra_boot_info(const BootFacts& facts, std::span<std::byte> out);

}  // namespace lona::kernel
