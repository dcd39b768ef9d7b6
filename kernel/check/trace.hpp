// SPDX-License-Identifier: BSD-2-Clause
// What each core did last: how it came into the kernel, and which thread it left with. Debug
// kernels only; read by a debug call, by gdb (tools/gdb/), and in the report of a panic.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "kernel/config.hpp"

namespace lona::kernel {

struct Tcb;

enum class TraceKind : std::uint8_t {
  kNone,
  kSyscall,  // number: the call's; words: the register of the cap, the message info
  kVector,   // number: the processor's vector; words: address of a page fault, user's address
  kRun,      // the kernel was left with another thread than it was entered with; null: idle
};

struct TraceEntry {
  std::uint64_t time;  // ticks of the clock
  const Tcb* thread;   // that ran at the entry, or runs now
  TraceKind kind;
  std::int32_t number;
  std::uint64_t words[2];
};

// The newest entries overwrite the oldest.
class TraceRing {
 public:
  static constexpr std::size_t kEntries = 256;

  void add(const TraceEntry& entry) { entries_[added_++ % kEntries] = entry; }
  // The newest for 0, the one before for 1 and so on; null if there is none or it is gone.
  const TraceEntry* find(std::uint64_t age) const {
    if (age >= added_ || age >= kEntries) return nullptr;
    return &entries_[(added_ - 1 - age) % kEntries];
  }

 private:
  std::array<TraceEntry, kEntries> entries_{};
  std::uint64_t added_ = 0;
};

struct NoTrace {
  static void add(const TraceEntry&) {}
  static const TraceEntry* find(std::uint64_t) { return nullptr; }
};

}  // namespace lona::kernel
