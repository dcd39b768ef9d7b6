// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/ipc/wait_queue.hpp"

namespace lona::kernel {

namespace {

// The other end of the threads of this priority.
Tcb& first_of_group(Tcb& last) {
  return last.queue_peer != nullptr ? *last.queue_peer : last;
}

void join(Tcb& first, Tcb& last) {
  first.queue_peer = &first == &last ? nullptr : &last;
  last.queue_peer = &first == &last ? nullptr : &first;
}

bool same_group(const Tcb* neighbour, const Tcb& tcb) {
  return neighbour != nullptr && neighbour->priority == tcb.priority;
}

}  // namespace

void queue_insert_among(WaitQueue& queue, Tcb& tcb) {
  Tcb* before = queue.tail;
  while (before != nullptr && before->priority < tcb.priority) {
    before = first_of_group(*before).queue_prev;
  }
  Tcb* const after = before != nullptr ? before->queue_next : queue.head;
  tcb.queue_prev = before;
  tcb.queue_next = after;
  (before != nullptr ? before->queue_next : queue.head) = &tcb;
  (after != nullptr ? after->queue_prev : queue.tail) = &tcb;
  if (!same_group(before, tcb)) return;
  Tcb& first = first_of_group(*before);
  before->queue_peer = nullptr;
  join(first, tcb);
}

void queue_remove_among(WaitQueue& queue, Tcb& tcb) {
  Tcb* const before = tcb.queue_prev;
  Tcb* const after = tcb.queue_next;
  (before != nullptr ? before->queue_next : queue.head) = after;
  (after != nullptr ? after->queue_prev : queue.tail) = before;
  tcb.queue_prev = tcb.queue_next = nullptr;
  if (tcb.queue_peer == nullptr) return;  // alone of its priority, or in the middle
  // At an end: its neighbour in the group takes its place.
  Tcb& other_end = *tcb.queue_peer;
  tcb.queue_peer = nullptr;
  Tcb& neighbour = same_group(after, tcb) ? *after : *before;
  join(neighbour, other_end);
}

}  // namespace lona::kernel
