// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/sched/release_tree.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <random>
#include <vector>

#include "kernel/sched/refill.hpp"

namespace lona::kernel {
namespace {

class ReleaseTrees : public ::testing::Test {
 protected:
  static constexpr unsigned kContexts = 300;

  ReleaseTrees() : contexts_(std::make_unique<SchedContext[]>(kContexts)) {}

  void insert(SchedContext& context, Ticks time) {
    refill_start(context, 1000, 0, SchedContext::kMinRefills, time);
    tree_.insert(context);
    model_.insert(std::upper_bound(model_.begin(), model_.end(), &context, earlier), &context);
  }
  void remove(SchedContext& context) {
    tree_.remove(context);
    model_.erase(std::find(model_.begin(), model_.end(), &context));
  }
  bool waits(SchedContext& context) const {
    return std::find(model_.begin(), model_.end(), &context) != model_.end();
  }

  void expect_match() const {
    SchedContext* at = tree_.first();
    for (SchedContext* wanted : model_) {
      ASSERT_EQ(at, wanted);
      at = tree_.after(*at);
    }
    ASSERT_EQ(at, nullptr);
    unsigned highest = 0;
    for (const SchedContext* context : model_) {
      const unsigned left = height(context->release_left), right = height(context->release_right);
      ASSERT_EQ(context->release_height, std::max(left, right) + 1);
      ASSERT_LE(std::max(left, right) - std::min(left, right), 1u);
      highest = std::max<unsigned>(highest, context->release_height);
    }
    // 1.44 times the logarithm: what a search and a change cost at most.
    ASSERT_LE(highest, 3 * std::bit_width(model_.size()) / 2);
  }

  static bool earlier(SchedContext* a, SchedContext* b) { return ReleaseTree::before(*a, *b); }
  static unsigned height(const SchedContext* top) {
    return top != nullptr ? top->release_height : 0;
  }

  ReleaseTree tree_;
  std::vector<SchedContext*> model_;
  std::unique_ptr<SchedContext[]> contexts_;
};

TEST_F(ReleaseTrees, KeepTheOrderAndTheirBalanceUnderRandomOperations) {
  std::mt19937 random(5);
  for (int step = 0; step < 6000; ++step) {
    SchedContext& context = contexts_[random() % kContexts];
    // Grows, then shrinks; often equal times.
    const bool fill = step / 1500 % 2 == 0 || random() % 4 == 0;
    if (!waits(context)) {
      if (fill) insert(context, random() % 100);
    } else if (!fill || random() % 3 == 0) {
      remove(random() % 2 == 0 ? context : *model_.front());
    }
    ASSERT_NO_FATAL_FAILURE(expect_match()) << "step " << step;
  }
}

TEST_F(ReleaseTrees, StayLowWhenTimesComeInOrder) {
  for (unsigned i = 0; i < kContexts; ++i) insert(contexts_[i], i);
  ASSERT_NO_FATAL_FAILURE(expect_match());
  while (!model_.empty()) {
    remove(*model_.front());
    ASSERT_NO_FATAL_FAILURE(expect_match());
  }
  for (unsigned i = kContexts; i-- > 0;) insert(contexts_[i], i);
  ASSERT_NO_FATAL_FAILURE(expect_match());
}

}  // namespace
}  // namespace lona::kernel
