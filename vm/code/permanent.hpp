// SPDX-License-Identifier: BSD-2-Clause
// Memory of definitions, constants and code: lives as long as the realm, is never collected and is
// shared by all processes and workers: the bump pointers that Heap's quick path looks at stay
// empty, so that every request takes the locked way.
#pragma once

#include <new>

#include "vm/heap/heap.hpp"
#include "vm/sched/lock.hpp"

namespace lona::vm {

class PermanentRegion final : public Heap {
 public:
  PermanentRegion() { refill_ = &PermanentRegion::refill; }
  // Zeroed memory for a C++ object that is never destroyed.
  template <typename T>
  T* make() {
    return new (raw(sizeof(T))) T();
  }
  template <typename T>
  T* make_array(std::size_t count) {
    return static_cast<T*>(raw(count * sizeof(T)));
  }
  std::size_t mapped_bytes() const { return mapped_.load(std::memory_order_relaxed); }

 private:
  void* raw(std::size_t bytes);
  static Word* refill(Heap& self, std::size_t words, bool may_use_reserve);
  Word* carve(std::size_t words, bool may_use_reserve);

  SpinLock lock_;
  Word* free_ = nullptr;
  Word* end_ = nullptr;
  std::atomic<std::size_t> mapped_{0};
};

}  // namespace lona::vm
