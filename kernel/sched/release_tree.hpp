// SPDX-License-Identifier: BSD-2-Clause
// Scheduling contexts that wait for their time, by the time of their head refill; of equal times
// the one at the lower address comes first. A balanced tree (AVL: the heights of two siblings
// differ by one at most), so that every operation takes a number of steps that grows with the
// logarithm of what is in it: 45 for as many contexts as fit into any machine.
//
// Contexts have no link upwards: one is found again by its time, which must not change meanwhile.
#pragma once

#include "kernel/object/objects.hpp"

namespace lona::kernel {

class ReleaseTree {
 public:
  void insert(SchedContext& context);
  // It is in the tree.
  void remove(SchedContext& context);
  SchedContext* first() const;
  SchedContext* after(SchedContext& context) const;

  static bool before(SchedContext& a, SchedContext& b);

 private:
  SchedContext* root_ = nullptr;
};

}  // namespace lona::kernel
