// SPDX-License-Identifier: BSD-2-Clause
// What is to happen at a time: a sleeping process wakes up, a message is sent. A hierarchical wheel
// (Varghese and Lauck's scheme 7): eight levels of 64 slots, each level 64 times as coarse as the
// one below; a timer moves down a level when its slot's time comes. Setting and cancelling cost
// O(1), and a timer is touched at most eight times in its life, so millions of them are no burden.
//
// A tick is 2^14 ns; timers fire at the first tick that is not before their deadline, never early.
#pragma once

#include <cstdint>

#include "vm/term/term.hpp"

namespace lona::vm {

struct Timer {
  Timer* next = nullptr;  // null: not set
  Timer* previous = nullptr;
  std::uint64_t deadline = 0;
  // Fires with the timer taken out of the wheel.
  enum class What : std::uint8_t { kProcess, kMessage } what = What::kProcess;
  bool is_set() const { return next != nullptr; }
};

class Timers {
 public:
  Timers();
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;

  // Sets a timer that is not set.
  void set(Timer& timer, std::uint64_t deadline_ns);
  // Takes a timer out if it is set.
  void cancel(Timer& timer);
  bool empty() const { return count_ == 0; }
  std::uint32_t count() const { return count_; }
  // A moment not after the earliest deadline's tick at which to look again; only if not empty.
  std::uint64_t next_deadline() const;
  // Takes out a timer whose time has come; null when there is none.
  Timer* take_due(std::uint64_t now_ns);
  // Any timer at all, taken out: for the end of the VM.
  Timer* take_any();

 private:
  static constexpr unsigned kTickShift = 14;
  static constexpr unsigned kSlotBits = 6;
  static constexpr unsigned kSlots = 1u << kSlotBits;
  static constexpr unsigned kLevels = 8;
  static constexpr std::uint64_t kLastTick = (std::uint64_t{1} << (kSlotBits * kLevels)) - 1;

  struct Due {
    unsigned level, slot;
    std::uint64_t tick;
  };
  // The slot whose time comes first; false when the wheel is empty.
  bool first_slot(Due& out) const;
  void place(Timer& timer);
  void unlink(Timer& timer);
  static void append(Timer& list, Timer& timer);

  Timer slots_[kLevels][kSlots];  // heads of circular lists
  Timer due_;                     // likewise: their time has come
  std::uint64_t occupied_[kLevels] = {};
  std::uint64_t now_tick_ = 0;  // all slots before it are empty
  std::uint32_t count_ = 0;
};

}  // namespace lona::vm
