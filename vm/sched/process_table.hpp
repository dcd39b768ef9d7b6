// SPDX-License-Identifier: BSD-2-Clause
// From pids to processes. A slot is used again only after all others that are free, with a new
// generation, so an old pid never names a new process.
#pragma once

#include "vm/heap/allocator.hpp"
#include "vm/process/process.hpp"

namespace lona::vm {

class ProcessTable {
 public:
  static constexpr std::uint32_t kChunk = 1024;
  static constexpr std::uint32_t kMaxChunks = 4096;  // 4 Mi processes

  explicit ProcessTable(Allocator& allocator) : allocator_(allocator) {}
  ~ProcessTable();

  // A fresh process with a pid and an empty first block; null when the table or memory is full.
  Process* create(Vm& vm);
  // Frees the control block of a process whose heap is gone.
  void destroy(Process* p);
  Process* find(Term pid) const;
  Process* at(std::uint32_t slot) const;
  std::uint32_t count() const { return count_; }
  std::uint32_t slots() const { return slots_; }

 private:
  struct Slot {
    Process* process;
    std::uint64_t generation;
    std::uint32_t next_free;
  };
  Slot& slot(std::uint32_t i) const { return chunks_[i / kChunk][i % kChunk]; }
  bool add_chunk();

  static constexpr std::uint32_t kNone = ~0u;
  Allocator& allocator_;
  Slot* chunks_[kMaxChunks] = {};
  std::uint32_t slots_ = 0;
  std::uint32_t count_ = 0;
  std::uint32_t free_head_ = kNone;
  std::uint32_t free_tail_ = kNone;
};

}  // namespace lona::vm
