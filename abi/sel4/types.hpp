// SPDX-License-Identifier: BSD-2-Clause
// The words every other header of this folder is made of: message info, rights, CNode data, the
// IPC buffer, error codes and lookup failures. Configuration throughout: x86_64, MCS, one node,
// IOMMU as kWithIommu says, 1 GiB pages on, no VT-x, no hardware debug interface.
#pragma once

#include <cstddef>
#include <cstdint>

#include "abi/sel4/configuration.hpp"

namespace lona::abi {

using Word = std::uint64_t;
using CPtr = Word;

// The ABI numbers some invocations differently with and without IOMMU support. This is our kernel's
// choice, and the one user programs start from; they find out about other kernels at run time
// (adopt_kernel_labels in objects.hpp).
inline constexpr bool kWithIommu = kConfiguration.iommu;

inline constexpr unsigned kWordBits = 64;
inline constexpr unsigned kMsgMaxLength = 120;
inline constexpr unsigned kMsgMaxExtraCaps = 3;
inline constexpr unsigned kMsgRegisters = 4;  // words 0..3 travel in r10, r8, r9, r15
inline constexpr unsigned kRetypeFanOutLimit = 256;
inline constexpr unsigned kNumPriorities = 256;
inline constexpr unsigned kMinPriority = 0;
inline constexpr unsigned kMaxPriority = kNumPriorities - 1;
inline constexpr unsigned kNumDomains = kConfiguration.domains;
// With the end marker in the last one.
inline constexpr unsigned kNumDomainSchedules = kNumDomains > 1 ? 100 : 2;

// First byte above the addresses a thread may use.
inline constexpr Word kUserTop = 0x00007ffffffff000;

// Label of a reply to an invocation (manual, "Error Codes").
enum class Error : Word {
  kNone = 0,
  kInvalidArgument = 1,
  kInvalidCapability = 2,
  kIllegalOperation = 3,
  kRangeError = 4,
  kAlignmentError = 5,
  kFailedLookup = 6,
  kTruncatedMessage = 7,
  kDeleteFirst = 8,
  kRevokeFirst = 9,
  kNotEnoughMemory = 10,
};

enum class LookupFailure : Word {
  kNone = 0,
  kInvalidRoot = 1,
  kMissingCapability = 2,
  kDepthMismatch = 3,
  kGuardMismatch = 4,
};

// label 52 | capsUnwrapped 3 | extraCaps 2 | length 7, most significant first.
class MessageInfo {
 public:
  constexpr MessageInfo() = default;
  constexpr explicit MessageInfo(Word raw) : raw_(raw) {}
  constexpr MessageInfo(Word label, unsigned caps_unwrapped, unsigned extra_caps, unsigned length)
      : raw_(label << 12 | Word{caps_unwrapped & 7u} << 9 | Word{extra_caps & 3u} << 7 |
             (length & 127u)) {}

  constexpr Word raw() const { return raw_; }
  constexpr Word label() const { return raw_ >> 12; }
  constexpr unsigned caps_unwrapped() const { return raw_ >> 9 & 7; }
  constexpr unsigned extra_caps() const { return raw_ >> 7 & 3; }
  constexpr unsigned length() const { return raw_ & 127; }
  constexpr Error error() const { return static_cast<Error>(label()); }
  constexpr bool operator==(const MessageInfo&) const = default;

 private:
  Word raw_ = 0;
};
static_assert(MessageInfo(5, 1, 2, 3).raw() == 0x5303);
static_assert(MessageInfo(0x5303).label() == 5 && MessageInfo(0x5303).extra_caps() == 2);

// The rights word of Copy, Mint and Page_Map: write 1, read 2, grant 4, grant-reply 8.
class CapRights {
 public:
  constexpr CapRights() = default;
  constexpr explicit CapRights(Word raw) : raw_(raw & 15) {}

  constexpr Word raw() const { return raw_; }
  constexpr bool write() const { return raw_ & 1; }
  constexpr bool read() const { return raw_ & 2; }
  constexpr bool grant() const { return raw_ & 4; }
  constexpr bool grant_reply() const { return raw_ & 8; }
  constexpr CapRights operator|(CapRights other) const { return CapRights(raw_ | other.raw_); }
  constexpr CapRights operator&(CapRights other) const { return CapRights(raw_ & other.raw_); }
  constexpr bool operator==(const CapRights&) const = default;

 private:
  Word raw_ = 0;
};
inline constexpr CapRights kNoRights{0};
inline constexpr CapRights kCanWrite{1};
inline constexpr CapRights kCanRead{2};
inline constexpr CapRights kReadWrite{3};
inline constexpr CapRights kCanGrant{4};
inline constexpr CapRights kCanGrantReply{8};
inline constexpr CapRights kAllRights{15};

// Data word that sets the guard of a CNode cap: guard 58 | guard size 6.
class CNodeData {
 public:
  constexpr explicit CNodeData(Word raw) : raw_(raw) {}
  constexpr CNodeData(Word guard, unsigned guard_size) : raw_(guard << 6 | (guard_size & 63u)) {}

  constexpr Word raw() const { return raw_; }
  constexpr Word guard() const { return raw_ >> 6; }
  constexpr unsigned guard_size() const { return raw_ & 63; }

 private:
  Word raw_ = 0;
};
static_assert(CNodeData(0x5, 52).raw() == 0x174);

inline constexpr unsigned kIpcBufferBits = 10;

// What a thread and the kernel share for messages longer than the registers and for caps.
struct alignas(1u << kIpcBufferBits) IpcBuffer {
  Word tag;
  Word msg[kMsgMaxLength];
  Word user_data;
  Word caps_or_badges[kMsgMaxExtraCaps];
  CPtr receive_cnode;
  CPtr receive_index;
  Word receive_depth;
};
static_assert(sizeof(IpcBuffer) == 1024);
static_assert(offsetof(IpcBuffer, msg) == 8);
static_assert(offsetof(IpcBuffer, user_data) == 968);
static_assert(offsetof(IpcBuffer, caps_or_badges) == 976);
static_assert(offsetof(IpcBuffer, receive_cnode) == 1000);
static_assert(offsetof(IpcBuffer, receive_depth) == 1016);

// Register frame of TCB_ReadRegisters and TCB_WriteRegisters.
struct UserRegisters {
  Word rip, rsp, rflags, rax, rbx, rcx, rdx, rsi, rdi, rbp;
  Word r8, r9, r10, r11, r12, r13, r14, r15;
  Word fs_base, gs_base;
};
inline constexpr unsigned kUserRegisterCount = 20;
static_assert(sizeof(UserRegisters) == kUserRegisterCount * sizeof(Word));

// Bits of TCB_SetFlags.
inline constexpr Word kTcbFlagFpuDisabled = 1;
inline constexpr Word kTcbFlagMask = kTcbFlagFpuDisabled;

// Bits of SchedControl_ConfigureFlags.
inline constexpr Word kSchedContextSporadic = 1;

// Attributes of Page_Map and of the page tables' Map (PAT entry numbers).
enum class PageAttribute : Word {
  kWriteBack = 0,
  kWriteThrough = 1,
  kCacheDisabled = 2,
  kUncacheable = 3,
  kWriteCombining = 4,
};
inline constexpr PageAttribute kDefaultPageAttribute = PageAttribute::kWriteBack;

// Vector numbers of IRQControl_GetIOAPIC and GetMSI lie in [kVectorMin, kVectorMax]; the kernel's
// own interrupt number is the vector plus 16 ISA lines, and the CPU's is 0x20 above that.
inline constexpr unsigned kVectorMin = 0;
inline constexpr unsigned kVectorMax = 109;
inline constexpr unsigned kIrqOffset = 0x20 + 16;

// Word 2 of the reply when a Map fails because a table is missing: address bits not translated.
inline constexpr unsigned kMappingLookupLevel = 2;
inline constexpr unsigned kLookupNoPageTable = 21;
inline constexpr unsigned kLookupNoPageDirectory = 30;
inline constexpr unsigned kLookupNoPdpt = 39;

}  // namespace lona::abi
