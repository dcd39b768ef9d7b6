// SPDX-License-Identifier: BSD-2-Clause
// What a program has to do with the kernel's objects, besides the natives.
//
// What is in the CNodes of programs? The kernel does not tell what a capability is of, and a worker
// that takes an endpoint for something else waits there for ever. So a record is kept of CNodes
// that only this VM's functions change; of others a program gets no values.
#pragma once

#include <array>

#include "vm/data/machine_value.hpp"
#include "vm/sched/lock.hpp"

namespace lona::vm {

class CNodeRecords {
 public:
  static constexpr std::size_t kMost = 64;
  static constexpr unsigned kMostBits = 12;

  // A record for an empty CNode: its number, from 1 on; 0: there is no memory, or no room.
  std::uint8_t add(unsigned bits);
  void drop(std::uint8_t number);
  // Null: not within the CNode, or there is no record.
  ObjectKind* at(std::uint8_t number, std::uint64_t slot);

  SpinLock lock;  // held while a capability is moved, and what is known of it

 private:
  struct Record {
    ObjectKind* kinds = nullptr;
    unsigned bits = 0;
  };
  std::array<Record, kMost> records_{};
};

class Process;
struct Worker;

// Calls of the kernel that processes wait for; each is made by a helper
// (platform/kernel_objects.hpp).
class KernelCalls {
 public:
  // From now on the process waits for its helper's call, until that has ended.
  void enter(Process& p, std::uint32_t helper);
  void leave(Process& p);
  // Wakes those whose calls have ended. On the first worker.
  void poll(Worker& w);

 private:
  SpinLock lock_;
  std::array<Process*, 32> waiting_{};  // by helpers
};

// The label of an answer that nobody will give: the process that took the message has ended.
inline constexpr Word kNoAnswerLabel = (Word{1} << 52) - 1;
// The process ends: what it has of the kernel's for itself is given back.
void leave_kernel(Process& p);

}  // namespace lona::vm
