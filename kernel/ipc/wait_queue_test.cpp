// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/ipc/wait_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

namespace lona::kernel {
namespace {

class WaitQueues : public ::testing::Test {
 protected:
  static constexpr unsigned kThreads = 40;

  WaitQueues() : threads_(std::make_unique<Tcb[]>(kThreads)) {}

  void insert(Tcb& tcb) {
    queue_insert(queue_, tcb);
    const auto place = std::find_if(model_.begin(), model_.end(), [&tcb](const Tcb* other) {
      return other->priority < tcb.priority;
    });
    model_.insert(place, &tcb);
  }
  void forget(Tcb& tcb) { model_.erase(std::find(model_.begin(), model_.end(), &tcb)); }
  bool waits(const Tcb& tcb) const {
    return std::find(model_.begin(), model_.end(), &tcb) != model_.end();
  }

  void expect_match() const {
    const Tcb* prev = nullptr;
    std::size_t at = 0;
    for (const Tcb* tcb = queue_.head; tcb != nullptr; prev = tcb, tcb = tcb->queue_next, ++at) {
      ASSERT_LT(at, model_.size());
      ASSERT_EQ(tcb, model_[at]);
      ASSERT_EQ(tcb->queue_prev, prev);
      ASSERT_EQ(tcb->queue_peer, peer_of(at));
    }
    ASSERT_EQ(at, model_.size());
    ASSERT_EQ(queue_.tail, prev);
    for (unsigned i = 0; i < kThreads; ++i) {
      if (!waits(threads_[i])) ASSERT_EQ(threads_[i].queue_peer, nullptr);
    }
  }

  WaitQueue queue_{};
  std::vector<Tcb*> model_;
  std::unique_ptr<Tcb[]> threads_;

 private:
  const Tcb* peer_of(std::size_t at) const {
    const auto same = [this, at](const Tcb* tcb) { return tcb->priority == model_[at]->priority; };
    const Tcb* first = *std::find_if(model_.begin(), model_.end(), same);
    const Tcb* last = *std::find_if(model_.rbegin(), model_.rend(), same);
    if (first == last) return nullptr;
    if (model_[at] == first) return last;
    return model_[at] == last ? first : nullptr;
  }
};

TEST_F(WaitQueues, BehaveAsAStableSortedListUnderRandomOperations) {
  std::mt19937 random(11);
  for (int step = 0; step < 20'000; ++step) {
    // Few priorities at times, many at others.
    const unsigned priorities = step / 2000 % 2 == 0 ? 3 : 200;
    Tcb& tcb = threads_[random() % kThreads];
    if (!waits(tcb)) {
      tcb.priority = static_cast<std::uint8_t>(random() % priorities);
      insert(tcb);
    } else if (random() % 2 == 0) {
      queue_remove(queue_, tcb);
      forget(tcb);
    } else if (Tcb& first = *queue_.head; first.queue_next != nullptr) {
      // As a short way takes the first one.
      queue_.head = first.queue_next;
      queue_first_gone(first, *queue_.head);
      first.queue_next = nullptr;
      forget(first);
    }
    ASSERT_NO_FATAL_FAILURE(expect_match()) << "step " << step;
  }
}

TEST_F(WaitQueues, ServeTheirEqualsInOrderOfArrival) {
  for (unsigned i = 0; i < 9; ++i) {
    threads_[i].priority = static_cast<std::uint8_t>(i % 3);
    insert(threads_[i]);
  }
  for (const unsigned wanted : {2u, 5u, 8u, 1u, 4u, 7u, 0u, 3u, 6u}) {
    Tcb& first = *queue_.head;
    EXPECT_EQ(&first, &threads_[wanted]);
    queue_remove(queue_, first);
  }
  EXPECT_EQ(queue_.head, nullptr);
  EXPECT_EQ(queue_.tail, nullptr);
}

}  // namespace
}  // namespace lona::kernel
