// SPDX-License-Identifier: BSD-2-Clause
#include "vm/sched/timers.hpp"

#include <bit>

namespace lona::vm {

Timers::Timers() {
  due_.next = due_.previous = &due_;
  for (auto& level : slots_) {
    for (Timer& head : level) head.next = head.previous = &head;
  }
}

void Timers::append(Timer& list, Timer& timer) {
  timer.next = &list;
  timer.previous = list.previous;
  list.previous->next = &timer;
  list.previous = &timer;
}

void Timers::place(Timer& timer) {
  std::uint64_t tick = (timer.deadline >> kTickShift) +
                       ((timer.deadline & ((std::uint64_t{1} << kTickShift) - 1)) != 0 ? 1 : 0);
  if (tick > kLastTick) tick = kLastTick;
  if (tick <= now_tick_) return append(due_, timer);
  // The level is that of the highest digit (of six bits) in which the deadline differs from now: so
  // all slots of a level lie in one turn, ahead of the present one.
  auto highest = static_cast<unsigned>(std::bit_width(tick ^ now_tick_)) - 1;
  unsigned level = highest / kSlotBits;
  auto slot = static_cast<unsigned>(tick >> (level * kSlotBits)) & (kSlots - 1);
  append(slots_[level][slot], timer);
  occupied_[level] |= std::uint64_t{1} << slot;
}

void Timers::set(Timer& timer, std::uint64_t deadline_ns) {
  timer.deadline = deadline_ns;
  count_++;
  place(timer);
}

void Timers::unlink(Timer& timer) {
  Timer* next = timer.next;
  next->previous = timer.previous;
  timer.previous->next = next;
  timer.next = nullptr;
  count_--;
  // A list's head alone is left.
  if (next != next->next || next == &due_) return;
  auto index = static_cast<unsigned>(next - &slots_[0][0]);
  occupied_[index / kSlots] &= ~(std::uint64_t{1} << (index % kSlots));
}

void Timers::cancel(Timer& timer) {
  if (timer.is_set()) unlink(timer);
}

bool Timers::first_slot(Due& out) const {
  for (unsigned level = 0; level < kLevels; ++level) {
    if (occupied_[level] == 0) continue;
    // A lower level is always due before a higher one.
    auto slot = static_cast<unsigned>(std::countr_zero(occupied_[level]));
    unsigned shift = level * kSlotBits;
    std::uint64_t turn = now_tick_ >> (shift + kSlotBits) << (shift + kSlotBits);
    out = {level, slot, turn | (std::uint64_t{slot} << shift)};
    return true;
  }
  return false;
}

std::uint64_t Timers::next_deadline() const {
  Due first;
  if (due_.next != &due_ || !first_slot(first)) return now_tick_ << kTickShift;
  return first.tick << kTickShift;
}

Timer* Timers::take_due(std::uint64_t now_ns) {
  std::uint64_t now = now_ns >> kTickShift;
  if (now > kLastTick) now = kLastTick;
  Due first;
  while (due_.next == &due_) {
    if (now <= now_tick_) return nullptr;
    if (!first_slot(first) || first.tick > now) {
      now_tick_ = now;
      return nullptr;
    }
    // The slot's time has come: its timers fire, or go to a finer level.
    now_tick_ = first.tick;
    occupied_[first.level] &= ~(std::uint64_t{1} << first.slot);
    Timer& head = slots_[first.level][first.slot];
    while (head.next != &head) {
      Timer& timer = *head.next;
      head.next = timer.next;
      timer.next->previous = &head;
      place(timer);
    }
  }
  Timer* timer = due_.next;
  unlink(*timer);
  return timer;
}

Timer* Timers::take_any() {
  Due first;
  Timer* head = due_.next != &due_  ? &due_
                : first_slot(first) ? &slots_[first.level][first.slot]
                                    : nullptr;
  if (head == nullptr) return nullptr;
  Timer* timer = head->next;
  unlink(*timer);
  return timer;
}

}  // namespace lona::vm
