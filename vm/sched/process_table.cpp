// SPDX-License-Identifier: BSD-2-Clause
#include "vm/sched/process_table.hpp"

#include <new>

namespace lona::vm {

namespace {
constexpr std::size_t kProcessBytes = sizeof(Process) + Process::kFirstBlockWords * sizeof(Word);
// With the allocator's word before it, a process fits the size class of 2,432 bytes.
static_assert(kProcessBytes + sizeof(void*) <= 2432);
}  // namespace

ProcessTable::~ProcessTable() {
  for (std::uint32_t c = 0; c < slots_ / kChunk; ++c) {
    allocator_.release(chunks_[c], kChunk * sizeof(Slot));
  }
}

bool ProcessTable::add_chunk() {
  std::uint32_t chunk = slots_ / kChunk;
  if (chunk == kMaxChunks) return false;
  auto* slots = static_cast<Slot*>(allocator_.allocate(kChunk * sizeof(Slot)));
  if (slots == nullptr) return false;
  chunks_[chunk] = slots;
  for (std::uint32_t i = 0; i < kChunk; ++i) {
    slots[i] = {nullptr, 1, i + 1 < kChunk ? slots_ + i + 1 : kNone};
  }
  free_head_ = slots_;
  free_tail_ = slots_ + kChunk - 1;
  slots_ += kChunk;
  return true;
}

Process* ProcessTable::create(Vm& vm) {
  if (free_head_ == kNone && !add_chunk()) return nullptr;
  void* memory = allocator_.allocate(kProcessBytes);
  if (memory == nullptr) return nullptr;
  std::uint32_t index = free_head_;
  Slot& s = slot(index);
  free_head_ = s.next_free;
  if (free_head_ == kNone) free_tail_ = kNone;
  auto* p = new (memory) Process();
  s.process = p;
  count_++;
  p->refill_ = &Process::refill;
  p->vm_ = &vm;
  p->pid_ = Term::pid(index, s.generation);
  p->block_ = p->first_block();
  p->block_end_ = p->block_ + Process::kFirstBlockWords;
  p->high_water_ = p->block_;
  p->set_top(p->block_);
  return p;
}

void ProcessTable::destroy(Process* p) {
  std::uint32_t index = p->pid().pid_slot();
  Slot& s = slot(index);
  s.process = nullptr;
  s.generation++;
  s.next_free = kNone;
  if (free_tail_ == kNone) {
    free_head_ = index;
  } else {
    slot(free_tail_).next_free = index;
  }
  free_tail_ = index;
  count_--;
  allocator_.release(p, kProcessBytes);
}

Process* ProcessTable::find(Term pid) const {
  std::uint32_t index = pid.pid_slot();
  if (index >= slots_) return nullptr;
  const Slot& s = slot(index);
  return s.generation == pid.pid_generation() ? s.process : nullptr;
}

Process* ProcessTable::at(std::uint32_t index) const {
  return index < slots_ ? slot(index).process : nullptr;
}

}  // namespace lona::vm
