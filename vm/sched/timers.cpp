// SPDX-License-Identifier: BSD-2-Clause
#include "vm/sched/timers.hpp"

#include <cstring>

namespace lona::vm {

Timers::~Timers() {
  if (heap_ != nullptr) allocator_.release(heap_, capacity_ * sizeof(Entry));
}

void Timers::up(std::uint32_t i) {
  Entry e = heap_[i];
  while (i > 0 && e.deadline < heap_[(i - 1) / 2].deadline) {
    place(i, heap_[(i - 1) / 2]);
    i = (i - 1) / 2;
  }
  place(i, e);
}

void Timers::down(std::uint32_t i) {
  Entry e = heap_[i];
  for (;;) {
    std::uint32_t child = 2 * i + 1;
    if (child >= count_) break;
    if (child + 1 < count_ && heap_[child + 1].deadline < heap_[child].deadline) child++;
    if (heap_[child].deadline >= e.deadline) break;
    place(i, heap_[child]);
    i = child;
  }
  place(i, e);
}

bool Timers::set(Process& p, std::uint64_t deadline) {
  if (p.timer_index_ != kNone) cancel(p);
  if (count_ == capacity_) {
    std::uint32_t capacity = capacity_ == 0 ? 64 : capacity_ * 2;
    auto* heap = static_cast<Entry*>(allocator_.allocate(capacity * sizeof(Entry)));
    if (heap == nullptr) return false;
    if (heap_ != nullptr) {
      std::memcpy(heap, heap_, count_ * sizeof(Entry));
      allocator_.release(heap_, capacity_ * sizeof(Entry));
    }
    heap_ = heap;
    capacity_ = capacity;
  }
  heap_[count_] = {deadline, &p};
  up(count_++);
  return true;
}

void Timers::cancel(Process& p) {
  std::uint32_t i = p.timer_index_;
  if (i == kNone) return;
  p.timer_index_ = kNone;
  count_--;
  if (i == count_) return;
  Process* moved = heap_[count_].process;
  heap_[i] = heap_[count_];
  up(i);
  down(moved->timer_index_);
}

Process* Timers::take_due(std::uint64_t now) {
  if (count_ == 0 || heap_[0].deadline > now) return nullptr;
  Process* p = heap_[0].process;
  cancel(*p);
  return p;
}

}  // namespace lona::vm
