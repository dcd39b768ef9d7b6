// SPDX-License-Identifier: BSD-2-Clause
// Requests of a realm to the manager: a Call on kRealmSlotManager. The label of the message is the
// request, its words the arguments; the label of the reply is the status, its words the results.
#pragma once

#include <cstdint>

namespace lona::abi {

enum class Request : std::uint64_t {
  // address, number of pages, page bits (12 or 21) → nothing. Zeroed memory of the process pool.
  kMapPages = 0x100,
  // address, number of pages, page bits → nothing. Exactly what one kMapPages gave.
  kUnmapPages = 0x101,
  // → limit, mapped, and bytes that the whole system has free
  kFigures = 0x102,
  // tick (time stamp counter) at which kSignalDeadline comes; kNoDeadlineTick disarms → nothing
  kSetDeadline = 0x103,
  // length, then bytes packed into words → nothing. A line for the system's log.
  kLog = 0x104,
  // status → never answered. The realm has done its work.
  kExit = 0x105,
};

inline constexpr std::uint64_t kNoDeadlineTick = ~std::uint64_t{0};
inline constexpr std::uint64_t kMapPagesMax = 512;          // pages of one request
inline constexpr std::uint64_t kMapBytesMax = 64ULL << 20;  // bytes of one request
inline constexpr std::uint64_t kLogMax = 512;               // bytes of one request

enum class Status : std::uint64_t {
  kOk = 0,
  kUnknownRequest = 1,
  kBadMessage = 2,   // too few or too many words
  kBadArgument = 3,  // a value outside its range, or misaligned
  kBadAddress = 4,   // not in the process pool, or already mapped, or not what was mapped
  kOutOfMemory = 5,  // the machine's memory is used up
  kOverLimit = 6,    // the realm's memory is used up
};

}  // namespace lona::abi
