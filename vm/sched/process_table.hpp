// SPDX-License-Identifier: BSD-2-Clause
// From pids to processes. A slot is used again only after all others that are free, with a new
// generation, so an old pid never names a new process. Looking up needs no lock; what was found
// stays until the worker that looked begins its next slice (sched/worker.hpp).
#pragma once

#include "vm/heap/allocator.hpp"
#include "vm/process/process.hpp"
#include "vm/sched/worker.hpp"

namespace lona::vm {

class ProcessTable {
 public:
  // Slots come in pieces of one page, and after so many in chunks.
  static constexpr std::uint32_t kChunk = 1024;
  static constexpr std::uint32_t kMaxChunks = 4096;  // 4 Mi processes
  static constexpr std::uint32_t kPiece = 128;

  ProcessTable() = default;
  ~ProcessTable();

  // A fresh process with a pid and an empty first block; null when the table or memory is full.
  Process* create(Worker& worker);
  // A process whose heap is gone is found no more. Its control block stays.
  void remove(Process& p);
  // Frees the control block of a removed process.
  static void free(Process* p, Worker& worker);
  Process* find(Term pid) const;
  Process* at(std::uint32_t slot) const;
  std::uint32_t count() const { return count_.load(std::memory_order_relaxed); }
  std::uint32_t slots() const { return slots_.load(std::memory_order_acquire); }

 private:
  struct Slot {
    std::atomic<Process*> process;
    std::uint64_t generation;
    std::uint32_t next_free;
  };
  Slot& slot(std::uint32_t i) const {
    return i < kChunk ? pieces_[i / kPiece][i % kPiece] : chunks_[i / kChunk][i % kChunk];
  }
  bool add_slots();
  std::uint32_t take_slot(Process* p);

  static constexpr std::uint32_t kNone = ~0u;
  SpinLock lock_;
  Slot* pieces_[kChunk / kPiece] = {};
  Slot** chunks_ = nullptr;  // the first one is not there
  std::atomic<std::uint32_t> slots_{0};
  std::atomic<std::uint32_t> count_{0};
  std::uint32_t free_head_ = kNone;
  std::uint32_t free_tail_ = kNone;
};

}  // namespace lona::vm
