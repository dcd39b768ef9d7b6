// SPDX-License-Identifier: BSD-2-Clause
// Endpoints and reply objects against a model: threads of several priorities make random system
// calls, and who waits where, in which order, and what arrives must be what the model says.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "kernel/ipc/ipc.hpp"
#include "kernel/testing/world.hpp"

namespace lona::kernel {
namespace {

using abi::Error;
using abi::Label;
using abi::MessageInfo;
using abi::ObjectType;
using abi::Syscall;
using testing::World;

constexpr unsigned kThreads = 7, kEndpoints = 2, kNobody = ~0u;

struct ModelThread {
  ThreadState state = ThreadState::kRunning;
  unsigned priority = 0;
  unsigned endpoint = 0;      // while blocked on send or receive
  Word word = 0;              // of the message that waits
  bool is_call = false;       // of the same
  unsigned caller = kNobody;  // who waits for an answer through this thread's reply object
};

struct Model {
  ModelThread threads[kThreads];
  std::vector<unsigned> queues[kEndpoints];

  void enqueue(unsigned thread) {
    auto& queue = queues[threads[thread].endpoint];
    const auto place = std::find_if(queue.begin(), queue.end(), [&](unsigned other) {
      return threads[other].priority < threads[thread].priority;
    });
    queue.insert(place, thread);
  }
  void block(unsigned thread, unsigned endpoint, ThreadState state) {
    threads[thread].state = state;
    threads[thread].endpoint = endpoint;
    enqueue(thread);
  }
  void leave(unsigned thread) {
    auto& queue = queues[threads[thread].endpoint];
    queue.erase(std::find(queue.begin(), queue.end(), thread));
  }
  // The first that waits in this state, taken out of the queue.
  unsigned take(unsigned endpoint, ThreadState state) {
    auto& queue = queues[endpoint];
    if (queue.empty() || threads[queue.front()].state != state) return kNobody;
    const unsigned first = queue.front();
    queue.erase(queue.begin());
    return first;
  }
  bool waits(unsigned thread) const {
    return threads[thread].state == ThreadState::kBlockedOnSend ||
           threads[thread].state == ThreadState::kBlockedOnReceive;
  }
  void stop(unsigned thread) {
    if (waits(thread)) leave(thread);
    for (ModelThread& other : threads) {
      if (other.caller == thread) other.caller = kNobody;
    }
    threads[thread].state = ThreadState::kInactive;
  }
};

class Endpoints : public ::testing::Test {
 protected:
  Endpoints() {
    for (Word& endpoint : endpoints_) endpoint = world_.make(ObjectType::kEndpoint);
    sleep_ = world_.make(ObjectType::kNotification);
    for (unsigned i = 0; i < kThreads; ++i) {
      model_.threads[i].priority = 100 + random_() % 3;
      threads_.push_back(world_.make_thread(model_.threads[i].priority));
      replies_.push_back(world_.make(ObjectType::kReply));
      for (Word endpoint : endpoints_) {
        badged_.push_back(world_.new_slot());
        EXPECT_EQ(world_.mint(endpoint, badged_.back(), badge_of(i)), Error::kNone);
      }
    }
  }

  static Word badge_of(unsigned thread) { return 50 + thread; }
  Word cap_of(unsigned thread, unsigned endpoint) const {
    return badged_[thread * kEndpoints + endpoint];
  }
  unsigned current() const {
    for (unsigned i = 0; i < kThreads; ++i) {
      if (threads_[i].tcb == current_thread()) return i;
    }
    return kNobody;
  }

  void expect_message(unsigned receiver, Word badge, Word word) {
    const testing::Message got = world_.last_reply(*threads_[receiver].tcb);
    EXPECT_EQ(got.badge, badge);
    EXPECT_EQ(got.words[0], word);
  }

  // --- One call of the running thread, and what it must have done ---

  void send(unsigned t, unsigned endpoint, Syscall number) {
    const Word word = ++last_word_;
    const bool is_call = number == Syscall::kCall;
    world_.syscall(number, cap_of(t, endpoint), MessageInfo(0, 0, 0, 1), {word});
    const unsigned receiver = model_.take(endpoint, ThreadState::kBlockedOnReceive);
    if (receiver != kNobody) {
      model_.threads[receiver].state = ThreadState::kRunning;
      expect_message(receiver, badge_of(t), word);
      if (is_call) answer_awaited(t, receiver);
    } else if (number != Syscall::kNBSend) {
      model_.threads[t].word = word;
      model_.threads[t].is_call = is_call;
      model_.block(t, endpoint, ThreadState::kBlockedOnSend);
    }
  }
  void answer_awaited(unsigned caller, unsigned callee) {
    model_.threads[caller].state = ThreadState::kBlockedOnReply;
    model_.threads[callee].caller = caller;
  }

  void receive(unsigned t, unsigned endpoint, Syscall number) {
    const Word word = ++last_word_;
    world_.syscall(number, cap_of(t, endpoint), MessageInfo(0, 0, 0, 1), {word}, replies_[t]);
    unsigned& caller = model_.threads[t].caller;
    if (caller != kNobody) {
      if (number == Syscall::kReplyRecv) {
        model_.threads[caller].state = ThreadState::kRunning;
        expect_message(caller, 0, word);
      } else {
        model_.threads[caller].state = ThreadState::kInactive;
      }
      caller = kNobody;
    }
    const unsigned sender = model_.take(endpoint, ThreadState::kBlockedOnSend);
    if (sender != kNobody) {
      model_.threads[sender].state = ThreadState::kRunning;
      expect_message(t, badge_of(sender), model_.threads[sender].word);
      if (model_.threads[sender].is_call) answer_awaited(sender, t);
    } else if (number == Syscall::kNBRecv) {
      expect_message(t, 0, word);
    } else {
      model_.block(t, endpoint, ThreadState::kBlockedOnReceive);
    }
  }

  void act(unsigned t) {
    static constexpr Syscall kSends[] = {Syscall::kSend, Syscall::kNBSend, Syscall::kCall,
                                         Syscall::kCall};
    static constexpr Syscall kReceives[] = {Syscall::kRecv, Syscall::kNBRecv, Syscall::kReplyRecv,
                                            Syscall::kReplyRecv};
    const unsigned endpoint = random_() % kEndpoints;
    switch (random_() % 8) {
      case 0:
        world_.syscall(Syscall::kYield, 0, MessageInfo());
        break;
      case 1:
      case 2:
      case 3:
        send(t, endpoint, kSends[random_() % 4]);
        break;
      default:
        receive(t, endpoint, kReceives[random_() % 4]);
        break;
    }
  }

  // --- The root thread: stops and starts threads, and changes their priorities ---

  void administer() {
    send_signal(*world_.slot(sleep_).cap.object<Notification>(), 1);
    handle_timer();
    ASSERT_EQ(current_thread(), &world_.root());
    for (unsigned i = 0; i < kThreads; ++i) {
      ModelThread& thread = model_.threads[i];
      const Word tcb = threads_[i].tcb_slot;
      if (random_() % 3 == 0) {
        thread.priority = 100 + random_() % 4;
        if (model_.waits(i)) {
          model_.leave(i);
          model_.enqueue(i);
        }
        EXPECT_EQ(world_.invoke(tcb, Label::kTcbSetPriority, {thread.priority}, {World::kTcbSlot}),
                  Error::kNone);
      }
      if (random_() % 4 == 0) {
        EXPECT_EQ(world_.invoke(tcb, Label::kTcbSuspend, {}), Error::kNone);
        model_.stop(i);
      }
      if (thread.state == ThreadState::kInactive) {
        EXPECT_EQ(world_.invoke(tcb, Label::kTcbResume, {}), Error::kNone);
        thread.state = ThreadState::kRunning;
      }
    }
    world_.syscall(Syscall::kWait, sleep_, MessageInfo());
  }

  void expect_match() {
    for (unsigned i = 0; i < kThreads; ++i) {
      ASSERT_EQ(threads_[i].tcb->state, model_.threads[i].state) << "thread " << i;
      const Reply& reply = *world_.slot(replies_[i]).cap.object<Reply>();
      const unsigned caller = model_.threads[i].caller;
      if (caller != kNobody) ASSERT_EQ(reply.tcb, threads_[caller].tcb);
    }
    for (unsigned e = 0; e < kEndpoints; ++e) {
      const auto& endpoint = *world_.slot(endpoints_[e]).cap.object<Endpoint>();
      const Tcb* tcb = endpoint.queue().head;
      for (const unsigned thread : model_.queues[e]) {
        ASSERT_EQ(tcb, threads_[thread].tcb);
        tcb = tcb->queue_next;
      }
      ASSERT_EQ(tcb, nullptr);
    }
  }

  World world_;
  Model model_;
  std::mt19937 random_{7};
  Word endpoints_[kEndpoints]{};
  Word sleep_ = 0;
  std::vector<World::Thread> threads_;
  std::vector<Word> replies_, badged_;
  Word last_word_ = 1000;
};

TEST_F(Endpoints, BehaveAsTheModelUnderRandomCalls) {
  world_.syscall(Syscall::kWait, sleep_, MessageInfo());
  unsigned calls = 0;
  for (int step = 0; step < 8000; ++step) {
    const unsigned thread = current();
    if (thread == kNobody || random_() % 40 == 0) {
      administer();
    } else {
      act(thread);
      ++calls;
    }
    ASSERT_NO_FATAL_FAILURE(expect_match()) << "step " << step;
    ASSERT_FALSE(HasFailure()) << "step " << step;
    if (step % 50 == 0) world_.check_invariants();
  }
  EXPECT_GT(calls, 4000u);
}

}  // namespace
}  // namespace lona::kernel
