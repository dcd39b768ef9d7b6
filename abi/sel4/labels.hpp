// SPDX-License-Identifier: BSD-2-Clause
// Invocation labels: the method number in a message to a kernel object. They count through the
// methods of the common interface, then x86_64, then x86, without the ones a configuration lacks.
#pragma once

#include "abi/sel4/types.hpp"

namespace lona::abi {

namespace detail {
inline constexpr Word kAfterTables = 44;
inline constexpr Word kAfterIoTables = kAfterTables + (kWithIommu ? 2 : 0);
inline constexpr Word kAfterMap = kAfterIoTables + 2 + (kWithIommu ? 1 : 0);
inline constexpr Word kNever = ~Word{0} >> 12;  // labels of methods that this choice lacks
}  // namespace detail

enum class Label : Word {
  kInvalid = 0,
  kUntypedRetype = 1,
  kTcbReadRegisters = 2,
  kTcbWriteRegisters = 3,
  kTcbCopyRegisters = 4,
  kTcbConfigure = 5,
  kTcbSetPriority = 6,
  kTcbSetMCPriority = 7,
  kTcbSetSchedParams = 8,
  kTcbSetTimeoutEndpoint = 9,
  kTcbSetIpcBuffer = 10,
  kTcbSetSpace = 11,
  kTcbSuspend = 12,
  kTcbResume = 13,
  kTcbBindNotification = 14,
  kTcbUnbindNotification = 15,
  kTcbSetTlsBase = 16,
  kTcbSetFlags = 17,
  kCNodeRevoke = 18,
  kCNodeDelete = 19,
  kCNodeCancelBadgedSends = 20,
  kCNodeCopy = 21,
  kCNodeMint = 22,
  kCNodeMove = 23,
  kCNodeMutate = 24,
  kCNodeRotate = 25,
  kIrqIssueHandler = 26,
  kIrqAck = 27,
  kIrqSetHandler = 28,
  kIrqClearHandler = 29,
  kDomainSet = 30,
  kDomainScheduleConfigure = 31,
  kDomainScheduleSetStart = 32,
  kSchedControlConfigureFlags = 33,
  kSchedContextBind = 34,
  kSchedContextUnbind = 35,
  kSchedContextUnbindObject = 36,
  kSchedContextConsumed = 37,
  kSchedContextYieldTo = 38,
  // x86_64
  kX86PdptMap = 39,
  kX86PdptUnmap = 40,
  // x86
  kX86PageDirectoryMap = 41,
  kX86PageDirectoryUnmap = 42,
  kX86PageTableMap = 43,
  kX86PageTableUnmap = 44,
  kX86IoPageTableMap = kWithIommu ? detail::kAfterTables + 1 : detail::kNever,
  kX86IoPageTableUnmap = kWithIommu ? detail::kAfterTables + 2 : detail::kNever - 1,
  kX86PageMap = detail::kAfterIoTables + 1,
  kX86PageUnmap = detail::kAfterIoTables + 2,
  kX86PageMapIo = kWithIommu ? detail::kAfterIoTables + 3 : detail::kNever - 2,
  kX86PageGetAddress = detail::kAfterMap + 1,
  kX86AsidControlMakePool,
  kX86AsidPoolAssign,
  kX86IoPortControlIssue,
  kX86IoPortIn8,
  kX86IoPortIn16,
  kX86IoPortIn32,
  kX86IoPortOut8,
  kX86IoPortOut16,
  kX86IoPortOut32,
  kX86IrqIssueHandlerIoApic,
  kX86IrqIssueHandlerMsi,
};
static_assert(static_cast<Word>(Label::kX86PageTableUnmap) == detail::kAfterTables);
static_assert(static_cast<Word>(Label::kX86PageMap) == (kWithIommu ? 47 : 45));
static_assert(static_cast<Word>(Label::kX86PageGetAddress) == (kWithIommu ? 50 : 47));
static_assert(static_cast<Word>(Label::kX86IrqIssueHandlerMsi) == (kWithIommu ? 61 : 58));

}  // namespace lona::abi
