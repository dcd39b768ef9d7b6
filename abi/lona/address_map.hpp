// SPDX-License-Identifier: BSD-2-Clause
// Where things are in a realm's address space. The same in every realm, so that pointers into
// shared and inherited memory need no relocation. What every realm has lies close together: page
// tables are memory, too.
//
//   0x0000'0000'0000  null guard                           –
//   0x0000'0040'0000  the VM: text, constants, own data    RX / R / RW
//   0x0000'1000'0000  worker areas, helper areas           RW
//   0x0000'101f'0000  start block                          R
//   0x0000'2000'0000  core image: constants, data          R / RW (first realm), R
//   0x000c'0000'0000  archive of the boot image            R
//   0x0040'0000'0000  channels: to the parent, and to each child   RW
//   0x0040'2000'0000  shared regions                       as shared
//   0x0040'4000'0000  shared binaries                      R
//   0x0100'0000'0000  code and binaries, one slot a level  R / RW
//   0x2000'0000'0000  process pool                         RW
//   0x4000'0000'0000  devices, DMA                         as granted
#pragma once

#include <cstdint>

namespace lona::abi {

using Address = std::uint64_t;

inline constexpr std::uint64_t kSmallPage = std::uint64_t{1} << 12;
inline constexpr std::uint64_t kLargePage = std::uint64_t{1} << 21;

struct AddressRange {
  Address start;
  std::uint64_t size;

  [[nodiscard]] constexpr Address end() const { return start + size; }
  [[nodiscard]] constexpr bool contains(Address address) const {
    return address >= start && address - start < size;
  }
  [[nodiscard]] constexpr bool contains(Address first, std::uint64_t bytes) const {
    return first >= start && first - start <= size && bytes <= size - (first - start);
  }
};

inline constexpr AddressRange kNullGuard{0, 0x40'0000};
inline constexpr AddressRange kVmRange{0x40'0000, 0x1000'0000 - 0x40'0000};

// A worker area: IPC buffer, guard, native stack, guard, rest. It is aligned to its size, so a
// thread finds its IPC buffer from its stack pointer; and one page table is enough for it.
inline constexpr Address kWorkerAreas = 0x1000'0000;
inline constexpr std::uint64_t kWorkerAreaSize = 0x20'0000;
inline constexpr std::uint64_t kWorkerMax = 64;
inline constexpr std::uint64_t kWorkerStackOffset = 0x8'0000;
inline constexpr std::uint64_t kWorkerStackSize = 0x10'0000;
inline constexpr std::uint64_t kWorkerRestSize = 0x1'0000;
static_assert(kWorkerAreas % kWorkerAreaSize == 0 && kWorkerAreaSize == kLargePage);

// In the rest of the first worker's area.
inline constexpr Address kStartBlockAddress = kWorkerAreas + kWorkerAreaSize - kWorkerRestSize;

constexpr Address worker_ipc_buffer(std::uint64_t worker) {
  return kWorkerAreas + worker * kWorkerAreaSize;
}
// The rest of the buffer's page is the thread's own; the thread's FS base points there. Compilers
// keep a word of stack protectors at offset 40, which nobody writes.
constexpr Address worker_thread_block(std::uint64_t worker) {
  return worker_ipc_buffer(worker) + kSmallPage / 2;
}
inline constexpr std::uint64_t kThreadSlotOffset = 64;
constexpr AddressRange worker_stack(std::uint64_t worker) {
  return {kWorkerAreas + worker * kWorkerAreaSize + kWorkerStackOffset, kWorkerStackSize};
}
inline constexpr AddressRange kWorkerRange{kWorkerAreas, kWorkerMax* kWorkerAreaSize};

// A helper's area: its IPC buffer, with room for its own words behind it, guard, one page of stack,
// guard.
inline constexpr std::uint64_t kHelperMax = 32;
inline constexpr std::uint64_t kHelperAreaSize = 4 * kSmallPage;
inline constexpr AddressRange kHelperRange{kWorkerRange.end(), kHelperMax* kHelperAreaSize};
constexpr Address helper_area(std::uint64_t helper) {
  return kHelperRange.start + helper * kHelperAreaSize;
}
constexpr AddressRange helper_stack(std::uint64_t helper) {
  return {helper_area(helper) + 2 * kSmallPage, kSmallPage};
}

inline constexpr AddressRange kCoreImageRange{0x2000'0000, 0x2000'0000};
// Its parts, in frames that all realms share: what never changes, and what the first realm may
// write.
inline constexpr AddressRange kCoreConstants{0x2000'0000, 0x1000'0000};
inline constexpr AddressRange kCoreData{0x3000'0000, 0x1000'0000};
inline constexpr AddressRange kArchiveRange{0xc'0000'0000, 0x4'0000'0000};

// The code part (1 GiB) and binary part (4 GiB) of a realm at depth `level`; 0 is the init realm.
inline constexpr Address kLevels = 0x100'0000'0000;
inline constexpr std::uint64_t kLevelSize = 0x2'0000'0000;
inline constexpr std::uint64_t kLevelMax = 256;
constexpr AddressRange level_code(std::uint64_t level) {
  return {kLevels + level * kLevelSize, 0x4000'0000};
}
constexpr AddressRange level_binaries(std::uint64_t level) {
  return {kLevels + level * kLevelSize + 0x4000'0000, 0x1'0000'0000};
}
// Both, side by side.
constexpr AddressRange level_memory(std::uint64_t level) {
  return {level_code(level).start, level_code(level).size + level_binaries(level).size};
}
// The slots of all levels above that depth.
constexpr AddressRange levels_above(std::uint64_t depth) {
  return {kLevels, depth * kLevelSize};
}

inline constexpr AddressRange kPoolRange{0x2000'0000'0000, 0x1000'0000'0000};
inline constexpr AddressRange kDeviceRange{0x4000'0000'0000, 0x1000'0000'0000};

// A channel is memory that a realm and its parent share: two rings of bytes (realm_channel.hpp).
// The one to the parent comes first, then those to the children by their numbers.
inline constexpr Address kChannels = 0x40'0000'0000;
inline constexpr std::uint64_t kChannelSize = 0x8000;
inline constexpr std::uint64_t kChildMax = 1024;
inline constexpr Address kParentChannel = kChannels;
constexpr Address child_channel(std::uint64_t number) {
  return kChannels + (number + 1) * kChannelSize;
}
inline constexpr AddressRange kChannelRange{kChannels, (kChildMax + 1) * kChannelSize};

// Shared regions: a window for each that a realm has made or was given. They have the page
// directory of the channels, which every realm below the first has from its start.
inline constexpr std::uint64_t kRegionPlaces = 32;
inline constexpr std::uint64_t kRegionMax = 16 << 20;
inline constexpr AddressRange kRegionRange{kChannels + 0x2000'0000, kRegionPlaces* kRegionMax};
constexpr Address region_window(std::uint64_t place) {
  return kRegionRange.start + place * kRegionMax;
}

// Shared binaries: a place for each that a realm sees.
inline constexpr std::uint64_t kBinaryPlaces = 32;
inline constexpr std::uint64_t kBinaryMax = 16 << 20;
inline constexpr AddressRange kBinaryRange{kChannels + 0x4000'0000, kBinaryPlaces* kBinaryMax};
constexpr Address binary_window(std::uint64_t place) {
  return kBinaryRange.start + place * kBinaryMax;
}
static_assert(kBinaryRange.end() <= kChannels + 0x8000'0000);

static_assert(kNullGuard.end() == kVmRange.start && kVmRange.end() == kWorkerAreas);
static_assert(kWorkerStackOffset + kWorkerStackSize < kWorkerAreaSize - kWorkerRestSize);
static_assert(kHelperRange.size <= kLargePage && kHelperRange.start % kLargePage == 0);
static_assert(kHelperRange.end() <= kCoreImageRange.start);
static_assert(kCoreConstants.start == kCoreImageRange.start);
static_assert(kCoreConstants.end() == kCoreData.start && kCoreData.end() == kCoreImageRange.end());
static_assert(kCoreImageRange.end() <= kArchiveRange.start);
static_assert(kArchiveRange.end() <= kChannels && kBinaryRange.end() <= kLevels);
static_assert(kChannelRange.end() <= kRegionRange.start);
static_assert(kRegionRange.end() <= kBinaryRange.start);
static_assert(kRegionRange.end() - 1 - kChannels < 1 << 30 && kChannels % (1 << 30) == 0);
static_assert(kLevels + kLevelMax * kLevelSize <= kPoolRange.start);
static_assert(level_memory(0).end() == level_binaries(0).end());
static_assert(level_memory(0).end() <= level_code(1).start);

}  // namespace lona::abi
