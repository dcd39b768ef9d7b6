// SPDX-License-Identifier: BSD-2-Clause
// The thread control block. The saved user state comes first, so that the entry code reaches it
// from the current thread's address alone.
#pragma once

#include "abi/sel4/fault.hpp"
#include "kernel/api/failure.hpp"
#include "kernel/arch/context.hpp"
#include "kernel/object/objects.hpp"

namespace lona::kernel {

enum class ThreadState : std::uint8_t {
  kInactive = 0,
  kRunning,
  kBlockedOnSend,
  kBlockedOnReceive,
  kBlockedOnReply,
  kBlockedOnNotification,
  kIdle,
};

// What a thread did that its handler must be told of; the words depend on the kind.
struct Fault {
  abi::FaultKind kind = abi::FaultKind::kNull;
  Word address = 0;   // cap: the capability pointer; VM: the address; exception: the vector;
                      // unknown system call: its number; timeout: the context's badge;
                      // debug exception: the address watched
  Word code = 0;      // VM: status; exception: error code; timeout: microseconds consumed;
                      // debug exception: reason, and the breakpoint above 8 bits
  bool flag = false;  // cap: in the receive phase; VM: instruction fetch
  LookupFault lookup = {};
};

struct alignas(1u << abi::kTcbBits) Tcb {
  enum CapSlot : unsigned { kCSpace, kVSpace, kIpcBuffer, kFaultHandler, kTimeoutHandler, kSlots };

  UserContext context;
  Slot slots[kSlots];

  ThreadState state;
  std::uint8_t priority;
  std::uint8_t max_controlled_priority;
  std::uint8_t domain;
  // While blocked on an endpoint.
  bool can_grant;
  bool can_grant_reply;
  bool is_call;
  bool in_ready_queue;
  Word flags;  // kTcbFlag…
  std::uint8_t core;

  Word badge;        // of the cap a blocked sender used
  void* blocked_on;  // Endpoint or Notification
  Reply* reply;      // blocked on reply: the reply object; on receive: the one offered
  Notification* bound_notification;
  SchedContext* sched_context;
  SchedContext* yield_to;
  Word ipc_buffer;  // user address

  Tcb* queue_prev;  // at an endpoint or notification
  Tcb* queue_next;
  Tcb* queue_peer;  // see ipc/wait_queue.hpp
  Tcb* ready_prev;  // in the ready queue of its priority
  Tcb* ready_next;

  Fault fault;
  DebugState debug;
  Usage usage;  // benchmark kernels only

  static constexpr unsigned kNameBytes = 48;
  char name[kNameBytes];  // set by the debug call only

  bool runnable() const { return state == ThreadState::kRunning; }
  bool blocked() const {
    return state >= ThreadState::kBlockedOnSend && state <= ThreadState::kBlockedOnNotification;
  }
};
static_assert(sizeof(Tcb) == 1u << abi::kTcbBits);
static_assert(offsetof(Tcb, context) == 0);

}  // namespace lona::kernel
