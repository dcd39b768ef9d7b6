// SPDX-License-Identifier: BSD-2-Clause
// The one door to GMP, of which only the `mpn` functions are used: they work on limbs that we own.
//
// Some of them take work space. Up to 64 KiB at a time is on the native stack; for more, GMP calls
// an allocator that must not fail. So calls that may need work space are made through
// `with_work_space`: when there is no memory, the allocator frees what the calls have taken and
// jumps back out of them, which is safe because mpn functions keep no state.
#pragma once

#include <gmp.h>

#include <cstddef>

#include "vm/term/term.hpp"

namespace lona::vm {

using Limb = Word;
static_assert(sizeof(mp_limb_t) == sizeof(Limb) && GMP_NUMB_BITS == 64);

inline constexpr unsigned kLimbBits = 64;
// No integer is larger (64 Mi bits); what would be counts as one there is no memory for. It bounds
// the time of a single operation.
inline constexpr std::size_t kMaxLimbs = std::size_t{1} << 20;

// Calls work(context); false: no memory.
bool run_in_work_space(void (*work)(void*), void* context);

template <class Work>
bool with_work_space(Work work) {
  return run_in_work_space([](void* context) { (*static_cast<Work*>(context))(); }, &work);
}

// Limbs for intermediate results where there is no heap to put them on. Null data(): no memory.
class Scratch {
 public:
  explicit Scratch(std::size_t limbs);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  Limb* data() { return data_; }

 private:
  static constexpr std::size_t kInline = 64;
  Limb inline_[kInline];
  Limb* data_ = inline_;
  std::size_t bytes_ = 0;  // of pages
};

}  // namespace lona::vm
