// SPDX-License-Identifier: BSD-2-Clause
// Messages between threads: endpoints, notifications, replies, and what is copied.
#pragma once

#include "kernel/ipc/wait_queue.hpp"
#include "kernel/object/progress.hpp"
#include "kernel/object/tcb.hpp"

namespace lona::kernel {

// --- Endpoints -----------------------------------------------------------------------------------
struct SendOptions {
  bool blocking;
  bool is_call;
  Word badge;
  bool can_grant;
  bool can_grant_reply;
  bool can_donate;
};
void send_ipc(Tcb& sender, Endpoint& endpoint, const SendOptions& options);

struct ReceiveOptions {
  bool blocking;
  bool can_grant;  // right of the receiver's cap: replies may carry caps
};
void receive_ipc(Tcb& receiver, Endpoint& endpoint, Reply* reply, const ReceiveOptions& options);

// Takes the thread out of what it waits for; it is inactive afterwards.
void cancel_ipc(Tcb& tcb);
// The endpoint ends: everybody waiting starts its operation again.
[[nodiscard]] Progress cancel_all_ipc(Endpoint& endpoint, WorkMeter& work);
// Senders with this badge start again. After a preemption the search goes on where it stopped.
[[nodiscard]] Progress cancel_badged_sends(Endpoint& endpoint, Word badge);
// A waiting thread gets another priority, and the place that goes with it.
void reorder_queue(Tcb& tcb, unsigned priority);

// --- Notifications -------------------------------------------------------------------------------
void send_signal(Notification& notification, Word badge);
void receive_signal(Tcb& receiver, Notification& notification, bool blocking);
[[nodiscard]] Progress cancel_all_signals(Notification& notification, WorkMeter& work);
void bind_notification(Tcb& tcb, Notification& notification);
void unbind_notification(Tcb& tcb);

// --- Replies -------------------------------------------------------------------------------------
void send_reply(Tcb& sender, Reply& reply, bool can_grant);
// The reply object ends: its caller gets no answer any more.
void cancel_reply(Reply& reply);
// The caller waits no longer; its scheduling context stays where it was lent to.
void unlink_caller(Reply& reply);

// --- Message copy --------------------------------------------------------------------------------
abi::IpcBuffer* ipc_buffer_of(Tcb& tcb, bool writable);
// Looks the caps of an outgoing message up; the fault carries the pointer that failed.
struct ExtraCaps {
  Slot* slots[abi::kMsgMaxExtraCaps];
  unsigned count = 0;
};
struct ExtraCapFault {
  Word pointer;
  LookupFault fault;
};
base::Expected<ExtraCaps, ExtraCapFault> lookup_extra_caps(Tcb& sender);
// Words of long messages.
inline void copy_words(Word* to, const Word* from, Word count) {
  for (; count >= 4; count -= 4, to += 4, from += 4) {
    const Word a = from[0], b = from[1], c = from[2], d = from[3];
    to[0] = a;
    to[1] = b;
    to[2] = c;
    to[3] = d;
  }
  for (; count > 0; --count) *to++ = *from++;
}
// The description of the sender's fault, as a message.
void transfer_fault(Tcb& sender, Word badge, Tcb& receiver);
// Message (or fault) of `sender`, which the receiver gets as if through `endpoint` (or null).
void transfer_message(Tcb& sender, Word badge, bool can_grant, Tcb& receiver, Endpoint* endpoint);

}  // namespace lona::kernel
