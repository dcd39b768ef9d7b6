// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/sched/release_tree.hpp"

#include <cassert>

#include "kernel/sched/refill.hpp"

namespace lona::kernel {

namespace {

// The links that were followed from the root, to be put right from the last one up.
class Path {
 public:
  void add(SchedContext*& link) { links_[depth_++] = &link; }
  unsigned depth() const { return depth_; }
  void replace(unsigned at, SchedContext*& link) { links_[at] = &link; }
  void rebalance();

 private:
  static constexpr unsigned kMaxHeight = 48;
  SchedContext** links_[kMaxHeight];
  unsigned depth_ = 0;
};

int height(const SchedContext* top) {
  return top != nullptr ? top->release_height : 0;
}

void measure(SchedContext& top) {
  const int left = height(top.release_left), right = height(top.release_right);
  top.release_height = static_cast<std::uint8_t>((left > right ? left : right) + 1);
}

// The left child goes up, the top down to its right.
void rotate_right(SchedContext*& link) {
  SchedContext& top = *link;
  SchedContext& up = *top.release_left;
  top.release_left = up.release_right;
  up.release_right = &top;
  link = &up;
  measure(top);
  measure(up);
}

void rotate_left(SchedContext*& link) {
  SchedContext& top = *link;
  SchedContext& up = *top.release_right;
  top.release_right = up.release_left;
  up.release_left = &top;
  link = &up;
  measure(top);
  measure(up);
}

// The heights below are right and differ by two at most.
void balance(SchedContext*& link) {
  SchedContext& top = *link;
  const int lean = height(top.release_left) - height(top.release_right);
  if (lean > 1) {
    const SchedContext& left = *top.release_left;
    if (height(left.release_left) < height(left.release_right)) rotate_left(top.release_left);
    rotate_right(link);
  } else if (lean < -1) {
    const SchedContext& right = *top.release_right;
    if (height(right.release_right) < height(right.release_left)) rotate_right(top.release_right);
    rotate_left(link);
  } else {
    measure(top);
  }
}

void Path::rebalance() {
  while (depth_ > 0) {
    SchedContext*& link = *links_[--depth_];
    const int was = height(link);
    balance(link);
    if (height(link) == was) return;
  }
}

}  // namespace

bool ReleaseTree::before(SchedContext& a, SchedContext& b) {
  const Ticks time_a = refill_head(a).time, time_b = refill_head(b).time;
  return time_a != time_b ? time_a < time_b : &a < &b;
}

// Not inlined, so that a debugger can stop where a thread begins to wait for time.
[[gnu::noinline]] void ReleaseTree::insert(SchedContext& context) {
  Path path;
  SchedContext** link = &root_;
  while (*link != nullptr) {
    path.add(*link);
    link = before(context, **link) ? &(*link)->release_left : &(*link)->release_right;
  }
  context.release_left = context.release_right = nullptr;
  context.release_height = 1;
  *link = &context;
  path.rebalance();
}

void ReleaseTree::remove(SchedContext& context) {
  Path path;
  SchedContext** link = &root_;
  while (*link != &context) {
    assert(*link != nullptr);
    path.add(*link);
    link = before(context, **link) ? &(*link)->release_left : &(*link)->release_right;
  }
  if (context.release_left == nullptr || context.release_right == nullptr) {
    *link = context.release_left != nullptr ? context.release_left : context.release_right;
  } else {
    // The next one in order takes its place.
    path.add(*link);
    const unsigned place = path.depth();
    SchedContext** below = &context.release_right;
    while ((*below)->release_left != nullptr) {
      path.add(*below);
      below = &(*below)->release_left;
    }
    SchedContext& next = **below;
    *below = next.release_right;
    next.release_left = context.release_left;
    next.release_right = context.release_right;
    next.release_height = context.release_height;
    *link = &next;
    if (path.depth() > place) path.replace(place, next.release_right);
  }
  path.rebalance();
}

SchedContext* ReleaseTree::first() const {
  SchedContext* at = root_;
  while (at != nullptr && at->release_left != nullptr) at = at->release_left;
  return at;
}

SchedContext* ReleaseTree::after(SchedContext& context) const {
  SchedContext* found = nullptr;
  for (SchedContext* at = root_; at != nullptr;) {
    const bool later = before(context, *at);
    if (later) found = at;
    at = later ? at->release_left : at->release_right;
  }
  return found;
}

}  // namespace lona::kernel
