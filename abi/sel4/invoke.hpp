// SPDX-License-Identifier: BSD-2-Clause
// User-side system calls. Register use is described in syscall.hpp. Words beyond the fourth and
// caps go through the thread's IPC buffer, whose address the program tells by ipc_buffer().
#pragma once

#include "abi/sel4/syscall.hpp"
#include "abi/sel4/types.hpp"

namespace lona::abi {

// Defined by each program: the IPC buffer of the calling thread.
IpcBuffer& ipc_buffer();

struct MessageWords {
  Word mr0 = 0, mr1 = 0, mr2 = 0, mr3 = 0;
};

struct Message {
  MessageInfo info;
  Word badge = 0;
  MessageWords words;
};

namespace detail {

inline void sys_send(Syscall number, CPtr dest, MessageInfo info, const MessageWords& w) {
  register Word r10 asm("r10") = w.mr0;
  register Word r8 asm("r8") = w.mr1;
  register Word r9 asm("r9") = w.mr2;
  register Word r15 asm("r15") = w.mr3;
  asm volatile("movq %%rsp, %%rbx; syscall; movq %%rbx, %%rsp"
               :
               : "d"(static_cast<long>(number)), "D"(dest), "S"(info.raw()), "r"(r10), "r"(r8),
                 "r"(r9), "r"(r15)
               : "rbx", "rcx", "r11", "memory");
}

inline void sys_send_empty(Syscall number, CPtr dest, MessageInfo info) {
  asm volatile("movq %%rsp, %%rbx; syscall; movq %%rbx, %%rsp"
               :
               : "d"(static_cast<long>(number)), "D"(dest), "S"(info.raw())
               : "rbx", "rcx", "r11", "memory");
}

inline Message sys_recv(Syscall number, CPtr source, CPtr reply) {
  Word badge, info;
  register Word r10 asm("r10");
  register Word r8 asm("r8");
  register Word r9 asm("r9");
  register Word r15 asm("r15");
  register Word r12 asm("r12") = reply;
  asm volatile("movq %%rsp, %%rbx; syscall; movq %%rbx, %%rsp"
               : "=D"(badge), "=S"(info), "=r"(r10), "=r"(r8), "=r"(r9), "=r"(r15)
               : "d"(static_cast<long>(number)), "D"(source), "r"(r12)
               : "rbx", "rcx", "r11", "memory");
  return {MessageInfo(info), badge, {r10, r8, r9, r15}};
}

inline Message sys_send_recv(Syscall number, CPtr cap, MessageInfo in, const MessageWords& w,
                             CPtr reply, CPtr send_dest) {
  Word badge, info;
  register Word r10 asm("r10") = w.mr0;
  register Word r8 asm("r8") = w.mr1;
  register Word r9 asm("r9") = w.mr2;
  register Word r15 asm("r15") = w.mr3;
  register Word r12 asm("r12") = reply;
  register Word r13 asm("r13") = send_dest;
  asm volatile("movq %%rsp, %%rbx; syscall; movq %%rbx, %%rsp"
               : "=D"(badge), "=S"(info), "+r"(r10), "+r"(r8), "+r"(r9), "+r"(r15)
               : "d"(static_cast<long>(number)), "D"(cap), "S"(in.raw()), "r"(r12), "r"(r13)
               : "rbx", "rcx", "r11", "memory");
  return {MessageInfo(info), badge, {r10, r8, r9, r15}};
}

}  // namespace detail

inline void send(CPtr dest, MessageInfo info, const MessageWords& w = {}) {
  detail::sys_send(Syscall::kSend, dest, info, w);
}
inline void nb_send(CPtr dest, MessageInfo info, const MessageWords& w = {}) {
  detail::sys_send(Syscall::kNBSend, dest, info, w);
}
inline void signal(CPtr dest) {
  detail::sys_send_empty(Syscall::kSend, dest, MessageInfo(0, 0, 0, 1));
}
inline Message call(CPtr dest, MessageInfo info, const MessageWords& w = {}) {
  return detail::sys_send_recv(Syscall::kCall, dest, info, w, 0, 0);
}
inline Message recv(CPtr source, CPtr reply) {
  return detail::sys_recv(Syscall::kRecv, source, reply);
}
inline Message nb_recv(CPtr source, CPtr reply) {
  return detail::sys_recv(Syscall::kNBRecv, source, reply);
}
// Any call by its number. What a kind of call neither takes nor gives stays as it is, so the info
// that comes back from a receive that found nothing is the one that went in.
inline Message system_call(Syscall number, CPtr cap, MessageInfo info, const MessageWords& w = {},
                           CPtr reply = 0) {
  return detail::sys_send_recv(number, cap, info, w, reply, 0);
}
inline Message wait(CPtr source) {
  return detail::sys_recv(Syscall::kWait, source, 0);
}
inline Message nb_wait(CPtr source) {
  return detail::sys_recv(Syscall::kNBWait, source, 0);
}
inline Message poll(CPtr source) {
  return nb_wait(source);
}
inline Message reply_recv(CPtr source, MessageInfo info, const MessageWords& w, CPtr reply) {
  return detail::sys_send_recv(Syscall::kReplyRecv, source, info, w, reply, 0);
}
inline Message nb_send_recv(CPtr dest, MessageInfo info, const MessageWords& w, CPtr source,
                            CPtr reply) {
  return detail::sys_send_recv(Syscall::kNBSendRecv, source, info, w, reply, dest);
}
inline Message nb_send_wait(CPtr dest, MessageInfo info, const MessageWords& w, CPtr source) {
  // The send destination takes the register that names a reply object elsewhere.
  return detail::sys_send_recv(Syscall::kNBSendWait, source, info, w, dest, 0);
}
inline void yield() {
  asm volatile("movq %%rsp, %%rbx; syscall; movq %%rbx, %%rsp"
               :
               : "d"(static_cast<long>(Syscall::kYield))
               : "rbx", "rcx", "rsi", "rdi", "r11", "memory");
}
inline void set_tls_base(Word base) {
  detail::sys_send_empty(Syscall::kSetTlsBase, base, MessageInfo());
}

// Debug kernels only; other kernels raise an unknown-syscall fault.
inline void debug_put_char(char c) {
  detail::sys_send_recv(Syscall::kDebugPutChar, static_cast<unsigned char>(c), MessageInfo(), {}, 0,
                        0);
}
inline void debug_halt() {
  detail::sys_send_empty(Syscall::kDebugHalt, 0, MessageInfo());
}
inline void debug_dump_scheduler() {
  detail::sys_send_recv(Syscall::kDebugDumpScheduler, 0, MessageInfo(), {}, 0, 0);
}
inline void debug_snapshot() {
  detail::sys_send_empty(Syscall::kDebugSnapshot, 0, MessageInfo());
}
inline Word debug_get_thread_affinity(CPtr tcb) {
  return detail::sys_send_recv(Syscall::kDebugGetThreadAffinity, tcb, MessageInfo(), {}, 0, 0)
      .badge;
}
// This project's debug kernel checks all its invariants, and panics if one does not hold. The
// number of full slots it saw; 0: too many objects to check them all.
inline Word debug_check() {
  return detail::sys_send_recv(Syscall::kDebugCheck, 0, MessageInfo(), {}, 0, 0).badge;
}
// The longest time, in ticks of the clock, that this project's debug kernel ran without a chance
// for interrupts since this was last asked; the message info is that of the system call it was part
// of.
struct KernelLatency {
  Word ticks;
  MessageInfo info;
};
inline KernelLatency debug_latency() {
  const Message m = detail::sys_send_recv(Syscall::kDebugLatency, 0, MessageInfo(), {}, 0, 0);
  return {m.badge, m.info};
}
// What a core of this project's debug kernel did, the newest for age 0; kind 0: it keeps no more.
// kernel/check/trace.hpp says what the fields mean.
struct KernelTrace {
  Word kind;
  Word thread;
  Word time;
  long number;
  Word words[2];
};
inline KernelTrace debug_trace(Word core, Word age) {
  const Message m =
      detail::sys_send_recv(Syscall::kDebugTrace, age, MessageInfo(), {core, 0, 0, 0}, 0, 0);
  return {m.badge,
          m.info.raw(),
          m.words.mr0,
          static_cast<long>(m.words.mr1),
          {m.words.mr2, m.words.mr3}};
}
// Kernel-specific number of the cap's type; 0 is an empty slot.
inline Word debug_cap_identify(CPtr cap) {
  return detail::sys_send_recv(Syscall::kDebugCapIdentify, cap, MessageInfo(), {}, 0, 0).badge;
}
// The name goes through the message words of the IPC buffer.
inline void debug_name_thread(CPtr tcb, const char* name) {
  char* out = reinterpret_cast<char*>(ipc_buffer().msg);
  constexpr unsigned kRoom = sizeof(Word) * kMsgMaxLength - 1;
  unsigned i = 0;
  for (; name[i] != 0 && i < kRoom; ++i) out[i] = name[i];
  out[i] = 0;
  detail::sys_send_recv(Syscall::kDebugNameThread, tcb, MessageInfo(), {}, 0, 0);
}

// Benchmark kernels only.
inline void benchmark_flush_caches() {
  detail::sys_send_empty(Syscall::kBenchmarkFlushCaches, 0, MessageInfo());
}
inline void benchmark_null_syscall() {
  detail::sys_send_empty(Syscall::kBenchmarkNullSyscall, 0, MessageInfo());
}
// The threads' times are counted from a reset to a finalize.
inline void benchmark_reset_log() {
  detail::sys_send_recv(Syscall::kBenchmarkResetLog, 0, MessageInfo(), {}, 0, 0);
}
inline void benchmark_finalize_log() {
  detail::sys_send_recv(Syscall::kBenchmarkFinalizeLog, 0, MessageInfo(), {}, 0, 0);
}
inline void benchmark_reset_thread_utilisation(CPtr tcb) {
  detail::sys_send_recv(Syscall::kBenchmarkResetThreadUtilisation, tcb, MessageInfo(), {}, 0, 0);
}
// Words of the caller's IPC buffer, times in ticks.
struct Utilisation {
  Word running, turns, in_kernel, entries;  // of the thread
  Word idle_here, idle_there;               // of the caller's core, of the thread's
  Word idle_turns, idle_in_kernel, idle_entries;
  Word total, total_turns, total_in_kernel, total_entries;  // of the core
};
inline Utilisation benchmark_get_thread_utilisation(CPtr tcb) {
  detail::sys_send_recv(Syscall::kBenchmarkGetThreadUtilisation, tcb, MessageInfo(), {}, 0, 0);
  const Word* const w = ipc_buffer().msg;
  return {w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9], w[10], w[11], w[12]};
}

}  // namespace lona::abi
