// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/check/object_index.hpp"

#include <algorithm>

#include "kernel/object/derivation.hpp"

namespace lona::kernel {

namespace {

CapType living_type(const Cap& cap) {
  if (!cap.is(CapType::kZombie)) return cap.type();
  return cap.zombie_is_tcb() ? CapType::kTcb : CapType::kCNode;
}

}  // namespace

bool ObjectIndex::add(Slot& slot) {
  if (count_ == kCapacity) return false;
  entries_[count_++] = {slot.cap.paddr(), object_bytes(slot.cap), &slot, living_type(slot.cap)};
  return true;
}

void ObjectIndex::sort() {
  const auto later = [](const Entry& a, const Entry& b) { return a.begin < b.begin; };
  std::make_heap(entries_, entries_ + count_, later);
  std::sort_heap(entries_, entries_ + count_, later);
}

const ObjectIndex::Entry* ObjectIndex::overlap() const {
  for (unsigned i = 0; i + 1 < count_; ++i) {
    if (entries_[i].end() > entries_[i + 1].begin) return &entries_[i + 1];
  }
  return nullptr;
}

const ObjectIndex::Entry* ObjectIndex::find(PhysAddr address, CapType type) const {
  const Entry* const at = std::lower_bound(
      begin(), end(), address, [](const Entry& e, PhysAddr wanted) { return e.begin < wanted; });
  return at != end() && at->begin == address && at->type == type ? at : nullptr;
}

const ObjectIndex::Entry* ObjectIndex::find(const void* object, CapType type) const {
  return find(to_phys(object), type);
}

}  // namespace lona::kernel
