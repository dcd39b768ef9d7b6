// SPDX-License-Identifier: BSD-2-Clause
// Invocation labels: the method number in a message to a kernel object. They count through the
// methods of the common interface, then x86_64, then x86, without the ones a configuration lacks.
#pragma once

#include "abi/sel4/types.hpp"

namespace lona::abi {

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
  kX86IoPageTableMap = 45,
  kX86IoPageTableUnmap = 46,
  kX86PageMap = 47,
  kX86PageUnmap = 48,
  kX86PageMapIo = 49,
  kX86PageGetAddress = 50,
  kX86AsidControlMakePool = 51,
  kX86AsidPoolAssign = 52,
  kX86IoPortControlIssue = 53,
  kX86IoPortIn8 = 54,
  kX86IoPortIn16 = 55,
  kX86IoPortIn32 = 56,
  kX86IoPortOut8 = 57,
  kX86IoPortOut16 = 58,
  kX86IoPortOut32 = 59,
  kX86IrqIssueHandlerIoApic = 60,
  kX86IrqIssueHandlerMsi = 61,
};

}  // namespace lona::abi
