// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <expected>

#include "base/bits.hpp"
#include "kernel/object/window.hpp"

// Tables of a device's address space (Intel VT-d specification, 9.3 and 9.8): walking them, and
// what entries look like. No hardware is touched, so the functions also run on the host.

namespace lona::kernel {

using IoEntry = Word;
using IoTable = std::array<IoEntry, 512>;

namespace io_entry {
using Read = base::Flag<IoEntry, 0>;
using Write = base::Flag<IoEntry, 1>;
inline constexpr IoEntry kAddressMask = 0x000f'ffff'ffff'f000;

constexpr bool present(IoEntry entry) {
  return Read::get(entry) || Write::get(entry);
}
constexpr PhysAddr address(IoEntry entry) {
  return entry & kAddressMask;
}
constexpr IoEntry make(PhysAddr address, bool read, bool write) {
  return address | Read::make(read) | Write::make(write);
}
}  // namespace io_entry

// Bits of an address that are left to translate at the table of this level; level 0 is the root.
constexpr unsigned io_bits_at(unsigned level, unsigned levels) {
  return 12 + 9 * (levels - level);
}
constexpr unsigned io_index(Word address, unsigned level, unsigned levels) {
  return static_cast<unsigned>(address >> (io_bits_at(level, levels) - 9)) % 512;
}
static_assert(io_index(0x7f'c000'0000, 0, 3) == 511 && io_index(0x1000, 2, 3) == 1);

struct MissingIoTable {
  unsigned level;  // of the table that is not there
};

// The entry for `address` in the table of `level`.
std::expected<IoEntry*, MissingIoTable> find_io_entry(IoTable& root, Word address, unsigned level,
                                                      unsigned levels);

}  // namespace lona::kernel
