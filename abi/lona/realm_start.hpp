// SPDX-License-Identifier: BSD-2-Clause
// What a realm finds when it starts: caps in the first slots of its CSpace, and a read-only page
// at kStartBlockAddress. Each worker's thread is entered at the VM's entry point with a stack of
// its own, the address of the start block in rdi and its number in rsi.
#pragma once

#include <cstdint>

#include "abi/lona/address_map.hpp"

namespace lona::abi {

enum RealmSlot : std::uint64_t {
  kRealmSlotNull = 0,
  kRealmSlotManager = 1,       // endpoint: requests to the manager
  kRealmSlotNotification = 2,  // of worker 0: its interrupts and its deadline
  kRealmSlotConsolePorts = 3,  // I/O ports of the console's device
  kRealmSlotConsoleIrq = 4,    // its interrupt
  kRealmSlotParent = 5,        // signals the parent: something is in the channel
  kRealmSlotWorkers = 6,       // notifications of workers 1, 2, …
  kRealmSlotObjects = 13,      // the CNode of the object slots, once there are any
  kRealmSlotChildren = 16,     // and the children, by their numbers
};
inline constexpr unsigned kRealmWorkersMax = 8;
static_assert(kRealmSlotWorkers + kRealmWorkersMax - 1 <= kRealmSlotObjects);
// The notification that a worker sleeps on.
constexpr std::uint64_t worker_slot(std::uint64_t worker) {
  return worker == 0 ? std::uint64_t{kRealmSlotNotification} : kRealmSlotWorkers + worker - 1;
}
// Helpers' numbers among the threads; a realm other than the first one can have fewer.
inline constexpr std::uint64_t kFirstHelper = kWorkerMax;
// How many of these slots there are, which says how many children a realm can have: of init, of
// others.
inline constexpr unsigned kInitCSpaceBits = 11;
inline constexpr unsigned kChildCSpaceBits = 7;
constexpr std::uint64_t most_children(unsigned cspace_bits) {
  return cspace_bits == kInitCSpaceBits ? kChildMax : 48;
}
constexpr std::uint64_t most_helpers(unsigned cspace_bits) {
  return cspace_bits == kInitCSpaceBits ? kHelperMax : kHelperMax / 2;
}
// A child can have channels to other children of its parent; they have numbers above those of its
// own children, and use the same page table as the channel to the parent. Of all its children a
// realm can connect so many pairs.
inline constexpr std::uint64_t kFirstPeer = 48;
inline constexpr std::uint64_t kPeerMax = 15;
inline constexpr std::uint64_t kPeerLinks = 32;
static_assert(kFirstPeer >= most_children(kChildCSpaceBits));
static_assert(child_channel(kFirstPeer + kPeerMax) <= kChannels + kLargePage);
static_assert(kRealmSlotChildren + kFirstPeer + kPeerMax <= 1 << kChildCSpaceBits);
static_assert(kRealmSlotChildren + most_children(kInitCSpaceBits) <= 1 << kInitCSpaceBits);

// Capabilities that the realm has asked for, or has been given, are in a CNode of their own, whose
// slots start at this CPtr. The realm has the CNode itself and does there what it likes; it has
// none for the slots above. With the first such capability its CSpace gets two levels.
//
// The kernel's answer to the use of a CPtr that names nothing is a fault. For these CPtrs the
// manager makes the call end instead, with kCallFailed for a message info, which no message has.
inline constexpr std::uint64_t kObjectSlots = 1 << 16;
inline constexpr std::uint64_t kCallFailed = ~std::uint64_t{0};
constexpr unsigned object_bits(unsigned cspace_bits) {
  return cspace_bits == kInitCSpaceBits ? 12 : 8;
}

// Bits of the word that a wait on the worker's notification gives.
inline constexpr std::uint64_t kSignalConsole = 1;
inline constexpr std::uint64_t kSignalDeadline = 2;
inline constexpr std::uint64_t kSignalChannel = 4;  // of the parent or a child
inline constexpr std::uint64_t kSignalRealm = 8;    // a child has ended: kNextEnded
inline constexpr std::uint64_t kSignalMemory = 16;  // the parent has none left: kRequestMemory of 0

enum class ConsoleDevice : std::uint32_t {
  kUart = 0,    // a 16550: eight ports
  kVirtio = 1,  // a virtio console with the legacy interface: 32 ports, and memory it can reach
};

// Memory that the console's device reads and writes: physically contiguous.
inline constexpr AddressRange kConsoleDma{kDeviceRange.start, 64 * 1024};

enum class ConsoleKind : std::uint32_t {
  kNone = 0,
  kHostLink = 1,  // framed bytes to the tool on the other side
  kRaw = 2,       // a terminal; the manager's log goes there as well
};

// A worker whose fault cannot be served is let go on once, at the function of this name in the VM's
// ELF (where there is one), to say by kExit what it was at: with its instruction and stack pointers
// in rdi and rsi, a stack, and all other registers as they were. It has so many milliseconds, and
// nothing else that it asks for is answered.
inline constexpr const char* kLastWordsEntry = "realm_last_words";
inline constexpr std::uint64_t kLastWordsMs = 500;

inline constexpr std::uint64_t kStartMagic = 0x3154'5241'4e4f'4cULL;  // "LONART1" backwards
inline constexpr unsigned kRealmNameMax = 31;
inline constexpr std::uint32_t kNoRealm = ~std::uint32_t{0};

struct StartBlock {
  std::uint64_t magic;
  std::uint64_t memory_limit;  // bytes the realm may have in the process pool
  std::uint64_t archive_address;
  std::uint64_t archive_size;
  std::uint64_t tsc_hertz;
  std::uint64_t wall_clock_zero;  // nanoseconds since 1970 when the TSC was 0; 0: unknown
  ConsoleKind console;
  ConsoleDevice console_device;
  std::uint32_t console_port;          // the first
  std::uint64_t console_dma_physical;  // of kConsoleDma, for kVirtio
  std::uint32_t realm;                 // its number; 0: init
  std::uint32_t parent;                // kNoRealm: none
  std::uint32_t depth;                 // 0: the init realm
  std::uint32_t cspace_bits;
  std::uint32_t workers;
  std::uint32_t iommu_labels;  // 1: the kernel has the labels of a configuration with IOMMU
  char name[kRealmNameMax + 1];
};
static_assert(sizeof(StartBlock) <= kSmallPage);

}  // namespace lona::abi
