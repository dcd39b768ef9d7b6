// SPDX-License-Identifier: BSD-2-Clause
#include "vm/sched/process_table.hpp"

#include <new>

#include "vm/platform/platform.hpp"

namespace lona::vm {

namespace {
constexpr std::size_t kPieceBytes = platform::whole_pages(24 * ProcessTable::kPiece);
constexpr std::size_t kChunkBytes = 24 * ProcessTable::kChunk;
constexpr std::size_t kListBytes = ProcessTable::kMaxChunks * sizeof(void*);
static_assert(kChunkBytes % platform::kPageSize == 0 && kListBytes % platform::kPageSize == 0);
constexpr std::size_t kProcessBytes = sizeof(Process) + Process::kFirstBlockWords * sizeof(Word);
// With the allocator's word before it, a process fits the size class of 2,432 bytes.
static_assert(kProcessBytes + sizeof(void*) <= 2432);
}  // namespace

ProcessTable::~ProcessTable() {
  for (Slot* piece : pieces_) {
    if (piece != nullptr) platform::unmap_pages(piece, kPieceBytes);
  }
  for (std::uint32_t c = 1; c < slots() / kChunk; ++c) {
    platform::unmap_pages(chunks_[c], kChunkBytes);
  }
  if (chunks_ != nullptr) platform::unmap_pages(chunks_, kListBytes);
}

bool ProcessTable::add_slots() {
  const std::uint32_t used = slots();
  const bool is_piece = used < kChunk;
  if (used == kMaxChunks * kChunk) return false;
  if (!is_piece && chunks_ == nullptr) {
    chunks_ = static_cast<Slot**>(platform::map_pages(kListBytes));
    if (chunks_ == nullptr) return false;
  }
  void* memory = platform::map_pages(is_piece ? kPieceBytes : kChunkBytes);
  if (memory == nullptr) return false;
  auto* slots = static_cast<Slot*>(memory);
  const std::uint32_t count = is_piece ? kPiece : kChunk;
  for (std::uint32_t i = 0; i < count; ++i) {
    new (slots + i) Slot{nullptr, 1, i + 1 < count ? used + i + 1 : kNone};
  }
  (is_piece ? pieces_[used / kPiece] : chunks_[used / kChunk]) = slots;
  free_head_ = used;
  free_tail_ = used + count - 1;
  slots_.store(used + count, std::memory_order_release);
  return true;
}

std::uint32_t ProcessTable::take_slot(Process* p) {
  Guard guard(lock_);
  if (free_head_ == kNone && !add_slots()) return kNone;
  std::uint32_t index = free_head_;
  Slot& s = slot(index);
  free_head_ = s.next_free;
  if (free_head_ == kNone) free_tail_ = kNone;
  p->pid_ = Term::pid(index, s.generation);
  s.process.store(p, std::memory_order_release);
  count_.store(count() + 1, std::memory_order_relaxed);
  return index;
}

Process* ProcessTable::create(Worker& worker) {
  void* memory = worker.allocator.allocate(kProcessBytes);
  if (memory == nullptr) return nullptr;
  auto* p = new (memory) Process();
  p->refill_ = &Process::refill;
  p->vm_ = &worker.vm;
  p->worker_ = &worker;
  p->block_ = p->first_block();
  p->block_end_ = p->block_ + Process::kFirstBlockWords;
  p->high_water_ = p->block_;
  p->set_top(p->block_);
  if (take_slot(p) != kNone) return p;
  free(p, worker);
  return nullptr;
}

void ProcessTable::remove(Process& p) {
  std::uint32_t index = p.pid().pid_slot();
  Guard guard(lock_);
  Slot& s = slot(index);
  s.process.store(nullptr, std::memory_order_release);
  s.generation++;
  s.next_free = kNone;
  if (free_tail_ == kNone) {
    free_head_ = index;
  } else {
    slot(free_tail_).next_free = index;
  }
  free_tail_ = index;
  count_.store(count() - 1, std::memory_order_relaxed);
}

void ProcessTable::free(Process* p, Worker& worker) {
  p->~Process();
  worker.allocator.release(p, kProcessBytes);
}

Process* ProcessTable::find(Term pid) const {
  Process* p = at(pid.pid_slot());
  return p != nullptr && p->pid() == pid ? p : nullptr;
}

Process* ProcessTable::at(std::uint32_t index) const {
  return index < slots() ? slot(index).process.load(std::memory_order_acquire) : nullptr;
}

}  // namespace lona::vm
