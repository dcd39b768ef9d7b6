// SPDX-License-Identifier: BSD-2-Clause
// System call numbers and the registers they use.
//
// `syscall` instruction; rcx and r11 are lost to it. User code keeps its stack pointer in rbx
// across the call, so rbx is lost as well.
//   rdx      number (negative)
//   rdi      in: cap (destination of a send, source of a receive); out: badge of the sender
//   rsi      in and out: message info
//   r10 r8 r9 r15   in and out: message words 0 to 3; further words are in the IPC buffer
//   r12      in: reply object (Recv, NBRecv, ReplyRecv, NBSendRecv); destination of NBSendWait
//   r13      in: destination of the send phase of NBSendRecv
#pragma once

namespace lona::abi {

enum class Syscall : long {
  kCall = -1,
  kReplyRecv = -2,
  kNBSendRecv = -3,
  kNBSendWait = -4,
  kSend = -5,
  kNBSend = -6,
  kRecv = -7,
  kNBRecv = -8,
  kWait = -9,
  kNBWait = -10,
  kYield = -11,
  // Debug builds only.
  kDebugPutChar = -12,
  kDebugDumpScheduler = -13,
  kDebugHalt = -14,
  kDebugCapIdentify = -15,
  kDebugSnapshot = -16,
  kDebugNameThread = -17,
  kDebugGetThreadAffinity = -19,
  // Benchmark builds only.
  kBenchmarkFlushCaches = -21,
  kBenchmarkResetLog = -22,
  kBenchmarkFinalizeLog = -23,
  kBenchmarkSetLogBuffer = -24,
  kBenchmarkNullSyscall = -25,
  kBenchmarkGetThreadUtilisation = -26,
  kBenchmarkResetThreadUtilisation = -27,
  // Every build; numbers in between belong to configurations this one is not.
  kSetTlsBase = -33,
  // This project's own debug builds only: not part of the interface.
  kDebugCheck = -1000,
  kDebugLatency = -1001,
  kDebugTrace = -1002,
};

inline constexpr long kSyscallFirst = -1;
inline constexpr long kSyscallLast = -11;

}  // namespace lona::abi
