// SPDX-License-Identifier: BSD-2-Clause
#include "vm/sched/send_after.hpp"

#include <cstring>
#include <new>

namespace lona::vm {

MessageTimers::~MessageTimers() {
  if (heads_ != nullptr) allocator_.release(heads_, capacity_ * sizeof(MessageTimer*));
}

bool MessageTimers::grow() {
  std::size_t capacity = capacity_ == 0 ? 64 : capacity_ * 2;
  auto** heads = static_cast<MessageTimer**>(allocator_.allocate(capacity * sizeof(MessageTimer*)));
  if (heads == nullptr) return false;
  std::memset(heads, 0, capacity * sizeof(MessageTimer*));
  for (std::size_t i = 0; i < capacity_; ++i) {
    while (MessageTimer* timer = heads_[i]) {
      heads_[i] = timer->chain;
      timer->chain = heads[timer->ref & (capacity - 1)];
      heads[timer->ref & (capacity - 1)] = timer;
    }
  }
  if (heads_ != nullptr) allocator_.release(heads_, capacity_ * sizeof(MessageTimer*));
  heads_ = heads;
  capacity_ = capacity;
  return true;
}

MessageTimer* MessageTimers::add(std::uint64_t ref, Term target, Fragment* message) {
  if (count_ >= capacity_ && !grow()) return nullptr;
  void* memory = allocator_.allocate(sizeof(MessageTimer));
  if (memory == nullptr) return nullptr;
  auto* timer = new (memory) MessageTimer{{}, ref, target, message, head(ref)};
  timer->what = Timer::What::kMessage;
  head(ref) = timer;
  count_++;
  return timer;
}

MessageTimer* MessageTimers::find(std::uint64_t ref) const {
  if (capacity_ == 0) return nullptr;
  MessageTimer* timer = head(ref);
  while (timer != nullptr && timer->ref != ref) timer = timer->chain;
  return timer;
}

void MessageTimers::remove(MessageTimer* timer, Allocator& freeing) {
  MessageTimer** at = &head(timer->ref);
  while (*at != timer) at = &(*at)->chain;
  *at = timer->chain;
  count_--;
  freeing.release(timer, sizeof(MessageTimer));
}

}  // namespace lona::vm
