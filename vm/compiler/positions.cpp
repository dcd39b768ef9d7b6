// SPDX-License-Identifier: BSD-2-Clause
#include "vm/compiler/compiler.hpp"

namespace lona::vm {

namespace {
std::size_t start_of(Word key, std::size_t capacity) {
  return static_cast<std::size_t>((key >> 3) * 0x9e3779b97f4a7c15u >> 20) & (capacity - 1);
}
}  // namespace

void PositionTable::grow() {
  std::size_t old_capacity = capacity_;
  Entry* old = entries_;
  capacity_ = old_capacity == 0 ? 64 : old_capacity * 2;
  entries_ = arena_->make_array<Entry>(capacity_);
  for (std::size_t i = 0; i < capacity_; ++i) entries_[i] = {};
  used_ = 0;
  for (std::size_t i = 0; i < old_capacity; ++i) {
    if (old[i].key != 0) put(Term::from_bits(old[i].key), old[i].position);
  }
}

void PositionTable::put(Term form, Position position) {
  if (!form.is_pair() && !form.is_boxed()) return;
  if (used_ * 3 >= capacity_ * 2) grow();
  std::size_t i = start_of(form.bits(), capacity_);
  while (entries_[i].key != 0 && entries_[i].key != form.bits()) i = (i + 1) & (capacity_ - 1);
  if (entries_[i].key == 0) used_++;
  entries_[i] = {form.bits(), position};
}

Position PositionTable::find(Term form) const {
  if (capacity_ == 0) return {};
  for (std::size_t i = start_of(form.bits(), capacity_);; i = (i + 1) & (capacity_ - 1)) {
    if (entries_[i].key == form.bits()) return entries_[i].position;
    if (entries_[i].key == 0) return {};
  }
}

}  // namespace lona::vm
