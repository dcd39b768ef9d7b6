// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "kernel/check/object_index.hpp"

namespace lona::kernel {

// What is wrong, and with which object or slot; `what` is null when nothing is.
struct Complaint {
  const char* what = nullptr;
  Word where = 0;

  explicit operator bool() const { return what != nullptr; }
};

struct CheckResult {
  Complaint complaint;
  Word slots = 0;         // full slots that were seen
  bool complete = false;  // false: more objects than the index holds, so only the tree was checked
};

// Between operations of the kernel: the scheduler has no decision pending.
CheckResult check_invariants();

// The parts, over an index that is sorted.
Complaint check_threads(const ObjectIndex& index);
namespace arch {
// Mappings have capabilities, and tables are made of tables.
Complaint check_spaces(const ObjectIndex& index);
}  // namespace arch

}  // namespace lona::kernel
