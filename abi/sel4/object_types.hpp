// SPDX-License-Identifier: BSD-2-Clause
// Object types that Untyped_Retype makes, and their sizes as powers of two.
#pragma once

#include "abi/sel4/types.hpp"

namespace lona::abi {

enum class ObjectType : Word {
  kUntyped = 0,
  kTcb = 1,
  kEndpoint = 2,
  kNotification = 3,
  kCNode = 4,
  kSchedContext = 5,
  kReply = 6,
  kPdpt = 7,
  kPml4 = 8,
  kHugePage = 9,  // 1 GiB
  kPage4K = 10,
  kLargePage = 11,  // 2 MiB
  kPageTable = 12,
  kPageDirectory = 13,
  kIoPageTable = 14,  // only with IOMMU support
};
inline constexpr Word kObjectTypeCount = kWithIommu ? 15 : 14;
inline constexpr Word kNonArchObjectTypeCount = 7;

inline constexpr unsigned kSlotBits = 5;
inline constexpr unsigned kTcbBits = 11;  // 12 only where the XSAVE area holds AVX state
inline constexpr unsigned kEndpointBits = 4;
inline constexpr unsigned kNotificationBits = 6;
inline constexpr unsigned kReplyBits = 5;
inline constexpr unsigned kPageBits = 12;
inline constexpr unsigned kLargePageBits = 21;
inline constexpr unsigned kHugePageBits = 30;
inline constexpr unsigned kPageTableBits = 12;
inline constexpr unsigned kPageDirectoryBits = 12;
inline constexpr unsigned kPdptBits = 12;
inline constexpr unsigned kPml4Bits = 12;
inline constexpr unsigned kVSpaceBits = kPml4Bits;
inline constexpr unsigned kIoPageTableBits = 12;
inline constexpr unsigned kTableIndexBits = 9;
inline constexpr unsigned kAsidPoolBits = 12;
inline constexpr unsigned kAsidPoolIndexBits = 9;
inline constexpr unsigned kNumAsidPoolsBits = 3;
inline constexpr unsigned kMinUntypedBits = 4;
inline constexpr unsigned kMaxUntypedBits = 47;

// A scheduling context: ten words, two times and two refills, then one refill of two times each.
inline constexpr unsigned kMinSchedContextBits = 7;
inline constexpr unsigned kCoreSchedContextBytes = 10 * sizeof(Word) + 6 * 8;
inline constexpr unsigned kRefillBytes = 2 * 8;
static_assert(kCoreSchedContextBytes == 128);

constexpr Word max_extra_refills(unsigned size_bits) {
  return ((Word{1} << size_bits) - kCoreSchedContextBytes) / kRefillBytes;
}

}  // namespace lona::abi
