// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

// The saved state of a user thread on x86_64. The entry code writes it with fixed offsets, so the
// layout is pinned below. It ends with the frame that the processor pushes on an interrupt from
// user mode: RSP0 of the TSS points just behind that frame while the thread runs, and the
// processor needs that address 16-byte aligned.

namespace lona::kernel {

// Space for the x87 and SSE state, in the standard XSAVE form (512 bytes legacy area, 64 bytes
// header). Machines without XSAVE use the legacy area alone (FXSAVE).
struct alignas(64) FpuState {
  static constexpr std::size_t kBytes = 576;
  std::array<std::uint8_t, kBytes> bytes;

  // In zeroed memory, the state a thread starts with: all exceptions masked, round to nearest.
  void set_control_words() {
    bytes[0] = 0x7f;  // FCW = 0x037f
    bytes[1] = 0x03;
    bytes[24] = 0x80;  // MXCSR = 0x1f80
    bytes[25] = 0x1f;
  }
};

// RFLAGS that a thread may hold: arithmetic flags, trap flag, direction, alignment check, ID.
inline constexpr std::uint64_t kUserFlagsMask = 0x0000'0000'0024'0dd5;
// Always one: bit 1 (reserved) and IF.
inline constexpr std::uint64_t kUserFlagsFixed = 0x202;
// First address that user space can never reach; the page below the canonical hole stays unmapped
// so that a return address behind a system call instruction is always canonical.
inline constexpr std::uint64_t kUserTop = 0x0000'7fff'ffff'f000;

struct alignas(64) UserContext {
  // How the thread last entered the kernel; kSyscall allows the short way back, on which RCX and
  // R11 are lost (they are lost to the caller of a system call anyway).
  enum class Entry : std::uint64_t { kInterrupt = 0, kSyscall = 1 };

  FpuState fpu;

  std::uint64_t fs_base;
  std::uint64_t gs_base;
  // Where the current operation started: the system call instruction itself, or the faulting
  // instruction. Restarting a thread means rip = fault_ip.
  std::uint64_t fault_ip;
  Entry entry;
  std::uint64_t reserved_;  // keeps the end of the interrupt frame 16-byte aligned

  // General registers; the order is the order of the entry code's stores.
  std::uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
  std::uint64_t error;  // pushed by the processor, or by the entry stub for vectors without one
  std::uint64_t rip, cs, rflags, rsp, ss;

  // The system call convention of the ABI.
  std::uint64_t syscall_number() const { return rdx; }
  std::uint64_t cap_register() const { return rdi; }
  std::uint64_t msg_info() const { return rsi; }
  std::uint64_t reply_register() const { return r12; }        // Recv-like calls: the reply cap
  std::uint64_t nbsend_dest_register() const { return r13; }  // NBSendRecv: the cap to send to
  void set_badge(std::uint64_t badge) { rdi = badge; }
  void set_msg_info(std::uint64_t info) { rsi = info; }

  static constexpr unsigned kMessageRegisters = 4;
  std::uint64_t message_register(unsigned index) const {
    switch (index) {
      case 0:
        return r10;
      case 1:
        return r8;
      case 2:
        return r9;
      default:
        return r15;
    }
  }
  void set_message_register(unsigned index, std::uint64_t value) {
    switch (index) {
      case 0:
        r10 = value;
        break;
      case 1:
        r8 = value;
        break;
      case 2:
        r9 = value;
        break;
      default:
        r15 = value;
        break;
    }
  }

  // The first `length` words of a message, as far as registers hold them.
  void copy_message_registers(const UserContext& from, std::uint64_t length) {
    if (length == 0) return;
    r10 = from.r10;
    if (length == 1) return;
    r8 = from.r8;
    if (length == 2) return;
    r9 = from.r9;
    if (length > 3) r15 = from.r15;
  }

  // Called after any write to registers other than by the system call convention above: the
  // thread must then be resumed with every register as it stands here.
  void require_full_restore() { entry = Entry::kInterrupt; }
  // The thread will run the instruction of its current operation again.
  void restart() {
    rip = fault_ip;
    entry = Entry::kInterrupt;
  }
  void set_flags(std::uint64_t value) { rflags = (value & kUserFlagsMask) | kUserFlagsFixed; }
  // An address outside user space would fault in the kernel on the way back; the first page
  // above user space gives the same fault to the thread itself.
  void set_ip(std::uint64_t value) {
    fault_ip = rip = value < kUserTop ? value : kUserTop;
    entry = Entry::kInterrupt;
  }
  // Segment bases must be canonical; the upper bits follow bit 47.
  static constexpr std::uint64_t canonical(std::uint64_t address) {
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(address << 16) >> 16);
  }

  // In zeroed memory, a thread that has never run: user segments, fresh FPU.
  void reset();
};

inline constexpr std::uint16_t kUserCodeSelector = 0x23;
inline constexpr std::uint16_t kUserDataSelector = 0x1b;

inline void UserContext::reset() {
  fpu.set_control_words();
  cs = kUserCodeSelector;
  ss = kUserDataSelector;
  rflags = kUserFlagsFixed;
}

static_assert(sizeof(FpuState) == 576);
static_assert(offsetof(UserContext, fs_base) == 576);
static_assert(offsetof(UserContext, fault_ip) == 592);
static_assert(offsetof(UserContext, rax) == 616);
static_assert(offsetof(UserContext, error) == 736);
static_assert(offsetof(UserContext, rip) == 744);
static_assert((offsetof(UserContext, ss) + 8) % 16 == 0, "the processor aligns the frame to 16");
static_assert(sizeof(UserContext) == 832);

}  // namespace lona::kernel
