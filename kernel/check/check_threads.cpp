// SPDX-License-Identifier: BSD-2-Clause
// Threads and what they wait for: every pointer leads to a living object that points back, every
// queue holds exactly the threads whose state says so, and time adds up.
#include "kernel/check/check.hpp"
#include "kernel/fault/fault.hpp"
#include "kernel/sched/scheduler.hpp"

namespace lona::kernel {

namespace {

// What was met on the way; in the end both sides must agree.
struct Counts {
  Word blocked_threads = 0, threads_in_wait_queues = 0;
  Word ready_threads = 0, threads_in_ready_queues = 0;
  Word queued_contexts = 0, contexts_in_release_queues = 0;
};

class ThreadCheck {
 public:
  explicit ThreadCheck(const ObjectIndex& index) : index_(index) {}

  Complaint run() {
    for (const ObjectIndex::Entry& entry : index_) {
      at_ = entry.begin;
      if (const char* what = check(entry)) return {what, at_};
    }
    for (unsigned i = 0; i < cores.count; ++i) {
      if (const char* what = check_core(cores[i])) return {what, at_};
    }
    if (const char* what = check_counts()) return {what, 0};
    return {};
  }

 private:
  const char* check(const ObjectIndex::Entry& entry) {
    switch (entry.type) {
      case CapType::kTcb:
        return check_tcb(*from_phys<Tcb>(entry.begin));
      case CapType::kEndpoint:
        return check_endpoint(*from_phys<Endpoint>(entry.begin));
      case CapType::kNotification:
        return check_notification(*from_phys<Notification>(entry.begin));
      case CapType::kReply:
        return check_reply(*from_phys<Reply>(entry.begin));
      case CapType::kSchedContext:
        return check_context(*from_phys<SchedContext>(entry.begin), entry.bytes);
      default:
        return nullptr;
    }
  }

  // --- Threads -----------------------------------------------------------------------------------

  static bool is_current(const Tcb& tcb) { return core_of(tcb).scheduler.current == &tcb; }

  const char* check_tcb(const Tcb& tcb) {
    counts_.blocked_threads += is_queued_state(tcb.state);
    counts_.ready_threads += tcb.in_ready_queue;
    if (tcb.core >= cores.count) return "a thread belongs to no core";
    if (const char* what = check_tcb_links(tcb)) return what;
    if (const char* what = check_tcb_slots(tcb)) return what;
    if (const char* what = check_waiting(tcb)) return what;
    const bool may_hold_fault =
        tcb.state == ThreadState::kBlockedOnSend || tcb.state == ThreadState::kBlockedOnReply;
    if (tcb.fault.kind != abi::FaultKind::kNull && !may_hold_fault) {
      return "a thread keeps a fault that nobody will be told of";
    }
    const SchedContext* const context = tcb.sched_context;
    const bool has_time = tcb.runnable() && context != nullptr && context->configured();
    if (has_time && !is_current(tcb) && !tcb.in_ready_queue && !context->queued) {
      return "a thread that could run is in no queue";
    }
    if (tcb.in_ready_queue && !schedulable(tcb)) return "a ready thread cannot run";
    if (tcb.in_ready_queue && is_current(tcb)) return "the running thread is in the ready queue";
    return nullptr;
  }

  const char* check_tcb_links(const Tcb& tcb) const {
    const Notification* const bound = tcb.bound_notification;
    if (bound != nullptr && (!live(bound, CapType::kNotification) || bound->bound_tcb != &tcb)) {
      return "a thread is bound to a notification that does not know it";
    }
    const SchedContext* const context = tcb.sched_context;
    if (context != nullptr && (!live(context, CapType::kSchedContext) || context->tcb != &tcb)) {
      return "a thread runs on a scheduling context that does not know it";
    }
    if (context != nullptr && context->core != tcb.core) {
      return "a thread does not belong to the core of its scheduling context";
    }
    const SchedContext* const yield_to = tcb.yield_to;
    if (yield_to != nullptr &&
        (!live(yield_to, CapType::kSchedContext) || yield_to->yield_from != &tcb)) {
      return "a thread yields to a scheduling context that does not know it";
    }
    if (yield_to != nullptr && (!tcb.runnable() || is_current(tcb))) {
      return "a thread that does not wait for a YieldTo is in one";
    }
    return nullptr;
  }

  static const char* check_tcb_slots(const Tcb& tcb) {
    const auto holds = [&](Tcb::CapSlot slot, CapType type) {
      const Cap& cap = tcb.slots[slot].cap;
      return cap.is_null() || cap.is(CapType::kZombie) || cap.is(type);
    };
    if (!holds(Tcb::kCSpace, CapType::kCNode)) return "a thread's CSpace is no CNode";
    if (!holds(Tcb::kVSpace, CapType::kPml4)) return "a thread's VSpace is no address space";
    if (!holds(Tcb::kIpcBuffer, CapType::kPage)) return "a thread's IPC buffer is no page";
    if (!holds(Tcb::kFaultHandler, CapType::kEndpoint) ||
        !holds(Tcb::kTimeoutHandler, CapType::kEndpoint)) {
      return "a thread's fault handler is no endpoint";
    }
    return nullptr;
  }

  static bool is_queued_state(ThreadState state) {
    return state == ThreadState::kBlockedOnSend || state == ThreadState::kBlockedOnReceive ||
           state == ThreadState::kBlockedOnNotification;
  }

  const char* check_waiting(const Tcb& tcb) const {
    switch (tcb.state) {
      case ThreadState::kBlockedOnSend:
      case ThreadState::kBlockedOnReceive:
        if (!live(tcb.blocked_on, CapType::kEndpoint)) return "a thread waits at no endpoint";
        break;
      case ThreadState::kBlockedOnNotification:
        if (!live(tcb.blocked_on, CapType::kNotification)) {
          return "a thread waits at no notification";
        }
        break;
      case ThreadState::kBlockedOnReply:
        if (tcb.reply == nullptr) return "a thread waits for an answer without a reply object";
        break;
      default:
        break;
    }
    if (tcb.reply == nullptr) return nullptr;
    if (!live(tcb.reply, CapType::kReply) || tcb.reply->tcb != &tcb) {
      return "a thread's reply object does not know it";
    }
    const bool needs_reply =
        tcb.state == ThreadState::kBlockedOnReply || tcb.state == ThreadState::kBlockedOnReceive;
    return needs_reply ? nullptr : "a thread that does not wait keeps a reply object";
  }

  // --- Queues ------------------------------------------------------------------------------------

  // By priority, links both ways, all in `state` because of `object`.
  const char* check_queue(const WaitQueue& queue, const void* object, ThreadState state) {
    const Tcb* prev = nullptr;
    const Tcb* first = nullptr;  // of its priority
    for (const Tcb* tcb = queue.head; tcb != nullptr; prev = tcb, tcb = tcb->queue_next) {
      if (!live(tcb, CapType::kTcb)) return "a wait queue holds something that is no thread";
      if (tcb->queue_prev != prev) return "a wait queue's links do not match";
      if (tcb->state != state || tcb->blocked_on != object) {
        return "a wait queue holds a thread that does not wait for it";
      }
      if (prev != nullptr && prev->priority < tcb->priority) {
        return "a wait queue is not ordered by priority";
      }
      if (first == nullptr || first->priority != tcb->priority) first = tcb;
      if (!knows_its_peer(*tcb, *first)) return "the ends of a priority do not know each other";
      ++counts_.threads_in_wait_queues;
    }
    return queue.tail == prev ? nullptr : "a wait queue's tail is not its last thread";
  }

  static bool knows_its_peer(const Tcb& tcb, const Tcb& first) {
    const bool is_last = tcb.queue_next == nullptr || tcb.queue_next->priority != tcb.priority;
    if (&tcb == &first) return (tcb.queue_peer == nullptr) == is_last;
    return is_last ? tcb.queue_peer == &first && first.queue_peer == &tcb
                   : tcb.queue_peer == nullptr;
  }

  const char* check_endpoint(const Endpoint& endpoint) {
    if (endpoint.queue().empty() != (endpoint.state() == Endpoint::State::kIdle)) {
      return "an endpoint's state does not match its queue";
    }
    return check_queue(endpoint.queue(), &endpoint,
                       endpoint.state() == Endpoint::State::kSending
                           ? ThreadState::kBlockedOnSend
                           : ThreadState::kBlockedOnReceive);
  }

  const char* check_notification(const Notification& notification) {
    if (notification.queue.empty() == (notification.state == Notification::State::kWaiting)) {
      return "a notification's state does not match its queue";
    }
    const Tcb* const bound = notification.bound_tcb;
    if (bound != nullptr &&
        (!live(bound, CapType::kTcb) || bound->bound_notification != &notification)) {
      return "a notification is bound to a thread that does not know it";
    }
    const SchedContext* const context = notification.sched_context;
    if (context != nullptr &&
        (!live(context, CapType::kSchedContext) || context->notification != &notification)) {
      return "a notification has a scheduling context that does not know it";
    }
    return check_queue(notification.queue, &notification, ThreadState::kBlockedOnNotification);
  }

  // --- Calls -------------------------------------------------------------------------------------

  const char* check_reply(const Reply& reply) const {
    const Tcb* const tcb = reply.tcb;
    if (tcb != nullptr && (!live(tcb, CapType::kTcb) || tcb->reply != &reply)) {
      return "a reply object names a thread that does not know it";
    }
    if (tcb == nullptr && reply.in_chain()) return "a reply object without caller is in a chain";
    if (reply.is_top()) {
      if (!live(reply.lent(), CapType::kSchedContext) || reply.lent()->reply != &reply) {
        return "a call chain ends in a scheduling context that does not know it";
      }
    } else if (reply.in_chain()) {
      if (!live(reply.next_reply(), CapType::kReply) || reply.next_reply()->prev != &reply) {
        return "a call chain is broken towards the newer call";
      }
    }
    if (reply.prev != nullptr &&
        (!live(reply.prev, CapType::kReply) || reply.prev->next_reply() != &reply)) {
      return "a call chain is broken towards the older call";
    }
    return nullptr;
  }

  // --- Time --------------------------------------------------------------------------------------

  const char* check_context(SchedContext& context, Word bytes) {
    counts_.queued_contexts += context.queued;
    if (context.tcb != nullptr &&
        (!live(context.tcb, CapType::kTcb) || context.tcb->sched_context != &context)) {
      return "a scheduling context names a thread that does not know it";
    }
    if (context.reply != nullptr &&
        (!live(context.reply, CapType::kReply) || !context.reply->is_top() ||
         context.reply->lent() != &context)) {
      return "a scheduling context was lent through a call that does not know it";
    }
    const Notification* const notification = context.notification;
    if (notification != nullptr &&
        (!live(notification, CapType::kNotification) || notification->sched_context != &context)) {
      return "a scheduling context is bound to a notification that does not know it";
    }
    if (context.yield_from != nullptr &&
        (!live(context.yield_from, CapType::kTcb) || context.yield_from->yield_to != &context)) {
      return "a scheduling context is yielded to by a thread that does not know it";
    }
    if (context.queued && !context.configured()) return "a context without time waits for some";
    return context.configured() ? check_refills(context, bytes) : nullptr;
  }

  static const char* check_refills(SchedContext& context, Word bytes) {
    const Word room = (bytes - SchedContext::kHeaderBytes) / sizeof(Refill);
    if (context.refill_max > room || context.refill_count < 1 ||
        context.refill_count > context.refill_max || context.refill_head >= context.refill_max) {
      return "refills lie outside their scheduling context";
    }
    if (refill_sum(context) != context.budget) return "refills do not add up to the budget";
    if (is_round_robin(context)) return nullptr;
    for (unsigned i = 0; i + 1 < context.refill_count; ++i) {
      const Refill& refill = refill_at(context, i);
      if (refill.time + refill.amount > refill_at(context, i + 1).time) {
        return "refills overlap in time";
      }
    }
    return nullptr;
  }

  const char* check_core(Core& core) {
    const Scheduler& s = core.scheduler;
    at_ = to_phys(s.current);
    if (s.current != nullptr) {
      if (!live(s.current, CapType::kTcb)) return "the running thread is no thread";
      // A held core has yet to see what was done to its thread.
      if (s.current_context != s.current->sched_context && !core.held) {
        return "the running thread does not run on its own scheduling context";
      }
    }
    for (unsigned priority = 0; priority < abi::kNumPriorities; ++priority) {
      if (const char* what = check_ready(core, priority)) return what;
    }
    return check_release_queue(core);
  }

  const char* check_ready(const Core& core, unsigned priority) {
    const Tcb* prev = nullptr;
    for (const Tcb* tcb = core.scheduler.ready.first_of(priority); tcb != nullptr;
         prev = tcb, tcb = tcb->ready_next) {
      at_ = to_phys(tcb);
      if (!live(tcb, CapType::kTcb)) return "the ready queue holds something that is no thread";
      if (tcb->ready_prev != prev) return "the ready queue's links do not match";
      if (tcb->core != core.id) return "a ready thread waits on another core than its own";
      if (tcb->priority != priority) return "a ready thread waits at another priority";
      if (!tcb->in_ready_queue) return "the ready queue holds a thread that does not know it";
      ++counts_.threads_in_ready_queues;
    }
    return nullptr;
  }

  static bool is_balanced(const SchedContext& context) {
    const auto height = [](const SchedContext* top) {
      return top != nullptr ? int{top->release_height} : 0;
    };
    const int left = height(context.release_left), right = height(context.release_right);
    return context.release_height == (left > right ? left : right) + 1 && left - right <= 1 &&
           right - left <= 1;
  }

  const char* check_release_queue(const Core& core) {
    const Scheduler& s = core.scheduler;
    if (s.release_head != s.release.first()) return "the first release is not the first";
    for (SchedContext* context = s.release_head; context != nullptr;
         context = s.release.after(*context)) {
      at_ = to_phys(context);
      if (!live(context, CapType::kSchedContext)) return "the release queue holds no context";
      if (!context->queued || context->tcb == nullptr) {
        return "the release queue holds a context that waits for nothing";
      }
      if (context->core != core.id) return "a context waits for time on another core than its own";
      if (!is_balanced(*context)) return "the release queue is out of balance";
      ++counts_.contexts_in_release_queues;
    }
    return nullptr;
  }

  const char* check_counts() const {
    if (counts_.blocked_threads != counts_.threads_in_wait_queues) {
      return "a thread waits for an object but is not in its queue";
    }
    if (counts_.ready_threads != counts_.threads_in_ready_queues) {
      return "a thread believes to be in the ready queue";
    }
    if (counts_.queued_contexts != counts_.contexts_in_release_queues) {
      return "a scheduling context believes to be in the release queue";
    }
    return nullptr;
  }

  bool live(const void* object, CapType type) const {
    return object != nullptr && index_.find(object, type) != nullptr;
  }

  const ObjectIndex& index_;
  Counts counts_;
  PhysAddr at_ = 0;
};

}  // namespace

Complaint check_threads(const ObjectIndex& index) {
  return ThreadCheck(index).run();
}

}  // namespace lona::kernel
