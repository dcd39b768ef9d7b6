// SPDX-License-Identifier: BSD-2-Clause
// Memory layout of the kernel objects that threads block on or run with. Operations on them live
// in ipc/ and sched/.
#pragma once

#include <cstdint>

#include "abi/sel4/object_types.hpp"
#include "kernel/object/slot.hpp"

namespace lona::kernel {

struct Tcb;
struct Reply;
struct SchedContext;

using Ticks = std::uint64_t;

// Threads waiting at an object (ipc/wait_queue.hpp); linked through Tcb::queue_*.
struct WaitQueue {
  Tcb* head;
  Tcb* tail;

  bool empty() const { return head == nullptr; }
};

// TCBs are 2 KiB aligned, so the state fits under the head pointer.
class Endpoint {
 public:
  enum class State : Word { kIdle = 0, kSending = 1, kReceiving = 2 };

  State state() const { return static_cast<State>(head_ & 3); }
  WaitQueue queue() const {
    return {reinterpret_cast<Tcb*>(head_ & ~Word{3}), reinterpret_cast<Tcb*>(tail_)};
  }
  // An empty queue makes the endpoint idle.
  void set_queue(const WaitQueue& queue, State state) {
    head_ = reinterpret_cast<Word>(queue.head) |
            static_cast<Word>(queue.head == nullptr ? State::kIdle : state);
    tail_ = reinterpret_cast<Word>(queue.tail);
  }

 private:
  Word head_;
  Word tail_;
};
static_assert(sizeof(Endpoint) == 1u << abi::kEndpointBits);

struct alignas(64) Notification {
  enum class State : Word { kIdle = 0, kWaiting = 1, kActive = 2 };

  WaitQueue queue;
  State state;
  Word word;  // OR of the badges signalled, while active
  Tcb* bound_tcb;
  SchedContext* sched_context;
};
static_assert(sizeof(Notification) == 1u << abi::kNotificationBits);

// Tracks one call: who waits for the answer, and the stack of lenders of a scheduling context.
struct alignas(32) Reply {
  Tcb* tcb;     // blocked on this reply (or, while unused, waiting to receive with it)
  Reply* prev;  // older call of the same chain
  // Newer call of the chain, or the scheduling context itself at the top (lowest bit set).
  Word next;

  bool in_chain() const { return next != 0; }
  bool is_top() const { return next & 1; }
  SchedContext* lent() const { return reinterpret_cast<SchedContext*>(next & ~Word{1}); }
  Reply* next_reply() const { return reinterpret_cast<Reply*>(next); }
};
static_assert(sizeof(Reply) == 1u << abi::kReplyBits);

// Where a thread's time went, see sched/usage.hpp.
struct Usage {
  Ticks running;    // from coming in until leaving, with the kernel's part
  Word turns;       // how often it came in
  Ticks in_kernel;  // from entries into the kernel to their ends
  Word entries;
};

// A replenishment: `amount` ticks usable from `time` on.
struct Refill {
  Ticks time;
  Ticks amount;
};
static_assert(sizeof(Refill) == abi::kRefillBytes);

struct alignas(128) SchedContext {
  Ticks period;    // 0: round robin
  Ticks consumed;  // since last asked
  Word badge;
  Tcb* tcb;      // runs on it now
  Reply* reply;  // top of the stack of calls it was lent through
  Notification* notification;
  Tcb* yield_from;  // waits in SchedContext_YieldTo
  Ticks budget;
  std::uint32_t refill_max;  // 0: not configured
  std::uint32_t refill_head;
  std::uint32_t refill_count;
  bool sporadic;
  bool queued;  // waits for its time, see sched/release_tree.hpp
  std::uint8_t core;
  std::uint8_t release_height;
  SchedContext* release_left;
  SchedContext* release_right;

  Refill* refills() { return reinterpret_cast<Refill*>(this + 0) + kHeaderBytes / sizeof(Refill); }
  bool configured() const { return refill_max != 0; }
  static constexpr std::size_t kHeaderBytes = 96;
  static constexpr unsigned kMinRefills = 2;
};

}  // namespace lona::kernel
