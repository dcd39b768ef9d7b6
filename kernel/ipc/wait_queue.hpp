// SPDX-License-Identifier: BSD-2-Clause
// Threads that wait at an endpoint or notification: by priority, first come first served among
// equals. A newcomer's place is found from the back, over at most one step for each priority: the
// first and the last thread of a priority know each other (Tcb::queue_peer), unless they are the
// same one, whose peer is null. So is that of a thread in no queue.
#pragma once

#include "kernel/object/tcb.hpp"

namespace lona::kernel {

// Where others wait.
void queue_insert_among(WaitQueue& queue, Tcb& tcb);
void queue_remove_among(WaitQueue& queue, Tcb& tcb);

inline void queue_insert(WaitQueue& queue, Tcb& tcb) {
  if (!queue.empty()) return queue_insert_among(queue, tcb);
  tcb.queue_prev = tcb.queue_next = nullptr;
  queue = {&tcb, &tcb};
}
// The priority must be the one with which the thread was inserted.
inline void queue_remove(WaitQueue& queue, Tcb& tcb) {
  if (queue.head != queue.tail) return queue_remove_among(queue, tcb);
  queue = {nullptr, nullptr};
}
// The first thread, of more than one, has left for good: the second one takes its place.
inline void queue_first_gone(Tcb& gone, Tcb& second) {
  second.queue_prev = nullptr;
  Tcb* const last = gone.queue_peer;
  if (last == nullptr) return;
  gone.queue_peer = nullptr;
  const bool alone = last == &second;
  second.queue_peer = alone ? nullptr : last;
  last->queue_peer = alone ? nullptr : &second;
}

}  // namespace lona::kernel
