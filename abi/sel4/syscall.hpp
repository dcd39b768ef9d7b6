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
#define SYSCALL(id, number, name, option, arguments, results, text) k##id = (number),
#include "abi/sel4/syscalls.def"
};

}  // namespace lona::abi
