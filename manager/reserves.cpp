// SPDX-License-Identifier: BSD-2-Clause
#include "manager/reserves.hpp"

#include <algorithm>

namespace lona::manager {

namespace {

constexpr std::uint64_t kTickBadge = 1;
enum : std::uint64_t { kApply = 1, kLeave = 2 };

constexpr std::uint64_t kKeeperPriority = 251;
constexpr std::uint64_t kTickUs = 1'000;
constexpr std::uint64_t kTicksOfAFrame = kFrameUs / kTickUs;
constexpr unsigned kQuietFrames = 100;
constexpr std::uint64_t kTickerBudgetUs = 100;
constexpr ThreadShare kKeeperShare{kKeeperPriority, 10'000, 10'000};
constexpr ThreadShare kTickerShare{kKeeperPriority, kTickerBudgetUs, kFrameUs};

}  // namespace

base::Expected<void, MemoryError> Reserves::start(Memory& memory, AddressSpace& own,
                                                  abi::CPtr control, abi::Word area,
                                                  abi::CPtr fault_handler) {
  control_ = control;
  period_us_ = kFrameUs;
  endpoint_ = TRY(memory.make(abi::ObjectType::kEndpoint));
  reply_ = TRY(memory.make(abi::ObjectType::kReply));
  signal_ = TRY(memory.make(abi::ObjectType::kNotification));
  tick_ = TRY(memory.badge_cap(signal_.cap, abi::kCanWrite, kTickBadge));
  TRY(keeper_.start(memory, own, control, area, kKeeperShare, keep, this, fault_handler));
  if (abi::tcb_bind_notification(keeper_.tcb(), signal_.cap) != abi::Error::kNone) {
    return base::fail(MemoryError::refused);
  }
  return ticker_.start(memory, own, control, area + OwnThread::kAreaSize, kTickerShare, tick, this,
                       fault_handler);
}

void Reserves::apply(const Plan& plan) const {
  (void)abi::call(endpoint_.cap, abi::MessageInfo(kApply, 0, 0, 1),
                  {reinterpret_cast<abi::Word>(&plan), 0, 0, 0});
}

void Reserves::leave(std::size_t index) const {
  (void)abi::call(endpoint_.cap, abi::MessageInfo(kLeave, 0, 0, 1), {index, 0, 0, 0});
}

// Gives up its budget, which comes back a period later.
void Reserves::tick(void* self) {
  const auto& reserves = *static_cast<Reserves*>(self);
  while (true) {
    abi::yield();
    abi::signal(reserves.tick_);
  }
}

void Reserves::keep(void* self) {
  auto& reserves = *static_cast<Reserves*>(self);
  while (true) {
    reserves.serve(abi::recv(reserves.endpoint_.cap, reserves.reply_.cap));
  }
}

void Reserves::serve(const abi::Message& message) {
  if (message.badge == kTickBadge) {
    ticks_ = period_us_ == kFrameUs ? 0 : (ticks_ + 1) % kTicksOfAFrame;
    return look(ticks_ == 0);
  }
  if (message.info.label() == kApply) {
    adopt(*reinterpret_cast<const Plan*>(message.words.mr0));
  } else if (message.info.label() == kLeave) {
    entries_[message.words.mr0] = {};
  }
  abi::send(reply_.cap, abi::MessageInfo(0, 0, 0, 0));
}

void Reserves::adopt(const Plan& plan) {
  Entry& entry = entries_[plan.index];
  entry.plan = plan;
  (void)configure_sched_context(control_, plan.sched_context,
                                thread_share(0, worker_share(plan.time, plan.helpers)));
  entry.credit.set(plan.time.reserve * kFrameUs / abi::kWholeCpu);
  entry.seen_us = plan.used_us->load(std::memory_order_relaxed);
  end_ = std::max(end_, plan.index + 1);
  place(entry);
}

void Reserves::look(bool new_frame) {
  bool busy = false;
  for (std::size_t index = 0; index < end_; ++index) {
    Entry& entry = entries_[index];
    if (entry.plan.tcb == 0 || entry.credit.of_a_frame() == 0) {
      continue;
    }
    const std::uint64_t us = used(entry);
    busy = busy || us != 0;
    if (entry.above) {
      entry.credit.use(us);
    }
    if (new_frame) {
      entry.credit.begin_frame();
    }
    place(entry);
  }
  quiet_frames_ = busy ? 0 : quiet_frames_ + (new_frame ? 1 : 0);
  tick_every(quiet_frames_ < kQuietFrames ? kTickUs : kFrameUs);
}

std::uint64_t Reserves::used(Entry& entry) {
  const std::uint64_t more = abi::sched_context_consumed(entry.plan.sched_context).value;
  const std::uint64_t all = entry.plan.used_us->fetch_add(more, std::memory_order_relaxed) + more;
  const std::uint64_t us = all - entry.seen_us;
  entry.seen_us = all;
  return us;
}

void Reserves::place(Entry& entry) {
  const bool above = entry.credit.left();
  if (above != entry.above) {
    entry.above = above;
    (void)abi::tcb_set_priority(entry.plan.tcb, abi::kSlotInitTcb,
                                above ? kReservePriority : kRealmPriority);
  }
}

void Reserves::tick_every(std::uint64_t us) {
  if (us != period_us_) {
    period_us_ = us;
    (void)configure_sched_context(control_, ticker_.sched_context(),
                                  {kKeeperPriority, kTickerBudgetUs, us});
  }
}

}  // namespace lona::manager
