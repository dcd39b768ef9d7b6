// SPDX-License-Identifier: BSD-2-Clause
// Fault messages: the label tells the kind, the words are laid out as below. A reply with label 0
// restarts the thread; UnknownSyscall, UserException and Timeout also take back registers.
#pragma once

#include "abi/sel4/types.hpp"

namespace lona::abi {

enum class FaultKind : Word {
  kNull = 0,
  kCap = 1,
  kUnknownSyscall = 2,
  kUserException = 3,
  kDebug = 4,  // only with hardware debugging
  kTimeout = 5,
  kVm = 6,
};

namespace cap_fault {
enum : unsigned {
  kIp = 0,
  kAddress = 1,
  kInReceivePhase = 2,
  kLookupFailure = 3,
  kBitsLeft = 4,        // missing capability, depth and guard mismatch
  kDepthBitsFound = 5,  // depth mismatch
  kGuardFound = 5,      // guard mismatch
  kGuardBitsFound = 6,  // guard mismatch
};
}  // namespace cap_fault

namespace unknown_syscall {
enum : unsigned {
  kRax = 0,
  kRbx,
  kRcx,
  kRdx,
  kRsi,
  kRdi,
  kRbp,
  kR8,
  kR9,
  kR10,
  kR11,
  kR12,
  kR13,
  kR14,
  kR15,
  kFaultIp = 15,
  kRsp = 16,
  kFlags = 17,
  kSyscall = 18,
  kLength = 19,
};
static_assert(kR15 == 14);
}  // namespace unknown_syscall

namespace user_exception {
enum : unsigned { kFaultIp = 0, kRsp = 1, kFlags = 2, kNumber = 3, kCode = 4, kLength = 5 };
}

namespace vm_fault {
enum : unsigned { kIp = 0, kAddress = 1, kInstruction = 2, kStatus = 3, kLength = 4 };
// kStatus is the CPU's page-fault error code.
inline constexpr Word kStatusPresent = 1;
inline constexpr Word kStatusWrite = 2;
inline constexpr Word kStatusUser = 4;
inline constexpr Word kStatusFetch = 16;
}  // namespace vm_fault

namespace debug_exception {
enum : unsigned { kFaultIp = 0, kReason = 1, kAddress = 2, kBreakpoint = 3, kLength = 4 };
// A single step has no more than the first two; the reply's first word is the number of
// instructions up to the next, 0 for no more steps.
inline constexpr unsigned kSingleStepLength = 2;
// Reasons; the first two are also the types of TCB_SetBreakpoint.
enum : Word { kData = 0, kInstruction = 1, kSingleStep = 2, kSoftwareBreak = 3 };
// Accesses that a data breakpoint watches.
enum : Word { kOnRead = 0, kOnWrite = 1, kOnReadWrite = 2 };
}  // namespace debug_exception

namespace timeout_fault {
enum : unsigned { kData = 0, kConsumed = 1, kLength = 2 };
// The reply has the register order of UserRegisters without gs_base.
enum : unsigned { kReplyLength = 19 };
}  // namespace timeout_fault

}  // namespace lona::abi
