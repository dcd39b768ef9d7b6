// SPDX-License-Identifier: BSD-2-Clause
// Time that realms are sure of.
//
// The worker of a realm with a reserve runs above all realms that have none, until it has used up
// what it is sure of in this frame of 10 ms; then it takes turns with the others until the next
// frame. What it may use in all is its scheduling context's budget, as for every realm. Once a
// millisecond a thread of the manager's, the keeper, asks the kernel how much time each of them has
// used, and moves its priority. A worker that was moved late has used more than its part at the
// high priority; that is taken off its next frames, so none of them gets more there than its
// reserve. While none of them runs the keeper looks only once in each frame.
//
// Timeout faults would tell the keeper at once, but the kernel's interface raises them for a thread
// whose call was just answered too, and then makes that call again.
//
// All of it belongs to the keeper's thread: others ask it by messages, so there is no lock that a
// realm's service thread could hold while its own budget ends.
#pragma once

#include <array>
#include <atomic>

#include "manager/cpu_share.hpp"
#include "manager/own_thread.hpp"
#include "manager/realm_tree.hpp"

namespace lona::manager {

class Reserves {
 public:
  // Whose time, and how much.
  struct Plan {
    std::size_t index = 0;  // of the realm
    abi::CPtr tcb = 0;      // of its first worker
    abi::CPtr sched_context = 0;
    std::atomic<std::uint64_t>* used_us = nullptr;  // counts what the kernel tells
    CpuPlan time;
    std::uint64_t helpers = 0;  // which have their part of it
  };

  [[nodiscard]] base::Expected<void, MemoryError> start(Memory& memory, AddressSpace& own,
                                                        abi::CPtr control, abi::Word area,
                                                        abi::CPtr fault_handler);
  // New figures for a realm's worker.
  void apply(const Plan& plan) const;
  // Before the realm's objects go.
  void leave(std::size_t index) const;

 private:
  struct Entry {
    Plan plan;
    FrameCredit credit;
    std::uint64_t seen_us = 0;
    bool above = false;
  };

  static void keep(void* self);
  static void tick(void* self);
  void serve(const abi::Message& message);
  void adopt(const Plan& plan);
  void look(bool new_frame);
  // How much its worker has used since the last look.
  [[nodiscard]] static std::uint64_t used(Entry& entry);
  static void place(Entry& entry);
  void tick_every(std::uint64_t us);

  std::array<Entry, RealmTree::kMax> entries_{};
  std::size_t end_ = 0;  // no entry from here on has a reserve
  abi::CPtr control_ = 0;
  KernelObject endpoint_, reply_, signal_;
  abi::CPtr tick_ = 0;
  OwnThread keeper_, ticker_;
  std::uint64_t period_us_ = 0;
  unsigned ticks_ = 0;         // in this frame
  unsigned quiet_frames_ = 0;  // in which nobody with a reserve has run
};

}  // namespace lona::manager
