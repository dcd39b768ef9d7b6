// SPDX-License-Identifier: BSD-2-Clause
// Shares of a processor as budgets and periods of scheduling contexts.
#pragma once

#include <algorithm>
#include <bit>

#include "abi/lona/protocol.hpp"
#include "manager/thread_share.hpp"

namespace lona::manager {

// Realms take turns at one priority. With its reserve a realm runs above those that have none.
inline constexpr std::uint64_t kRealmPriority = 100;
inline constexpr std::uint64_t kReservePriority = 150;
// A realm's helpers work for a few microseconds, which nobody else shall have to wait for in turn.
inline constexpr std::uint64_t kHelperPriority = kRealmPriority + 1;

// Reserves are given anew in each frame of that length.
inline constexpr std::uint64_t kFrameUs = 10'000;
// What can be promised of a processor: the rest is for the first realm's own reserve and the
// manager.
inline constexpr std::uint64_t kReservable = 750'000;
inline constexpr std::uint64_t kFirstRealmReserve = 100'000;

// A thread that may use `share` millionths of a processor; kNoShare: what the others leave, in
// turns of one millisecond. Small shares get long periods, as the kernel refuses tiny budgets.
[[nodiscard]] constexpr ThreadShare thread_share(std::uint64_t priority, std::uint64_t share) {
  constexpr std::uint64_t kPeriodUs = 10'000;
  constexpr std::uint64_t kTurnUs = 1'000;
  constexpr std::uint64_t kLeastBudgetUs = 100;
  if (share >= abi::kWholeCpu) {
    return {priority, kTurnUs, kTurnUs};
  }
  share = std::max(share, abi::kLeastShare);
  const std::uint64_t budget = share * kPeriodUs / abi::kWholeCpu;
  if (budget >= kLeastBudgetUs) {
    return {priority, budget, kPeriodUs};
  }
  return {priority, kLeastBudgetUs, kLeastBudgetUs * abi::kWholeCpu / share};
}

// What a thread may use: its reserve, in each frame, and so much beyond it.
struct CpuPlan {
  std::uint64_t reserve = 0;
  std::uint64_t beyond = abi::kNoShare;

  bool operator==(const CpuPlan&) const = default;
};

// A helper may use a part of its realm's time, which the realm's worker then has less; of a realm
// without a limit, a part of half a processor. It needs some microseconds for each message.
inline constexpr std::uint64_t kHelperPart = 64;
[[nodiscard]] constexpr std::uint64_t helper_share(const CpuPlan& plan) {
  const std::uint64_t whole =
      plan.beyond == abi::kNoShare ? abi::kWholeCpu / 2 : plan.reserve + plan.beyond;
  return std::max(whole / kHelperPart, std::uint64_t{1});
}
[[nodiscard]] constexpr ThreadShare helper_thread_share(const CpuPlan& plan) {
  constexpr std::uint64_t kBudgetUs = 100;
  const std::uint64_t share = helper_share(plan);
  return {kHelperPriority, kBudgetUs, (kBudgetUs * abi::kWholeCpu + share - 1) / share};
}
// What the worker may use beside so many helpers.
[[nodiscard]] constexpr std::uint64_t worker_share(const CpuPlan& plan, std::uint64_t helpers) {
  return plan.beyond == abi::kNoShare ? abi::kNoShare
                                      : plan.reserve + plan.beyond - helpers * helper_share(plan);
}

// What is left of a reserve in this frame, in microseconds. What was used too much is owed.
class FrameCredit {
 public:
  void set(std::uint64_t of_a_frame) {
    left_ = of_a_frame_ = static_cast<std::int64_t>(of_a_frame);
  }
  void use(std::uint64_t us) { left_ -= static_cast<std::int64_t>(us); }
  void begin_frame() { left_ = std::min(left_ + of_a_frame_, of_a_frame_); }
  [[nodiscard]] bool left() const { return left_ > 0; }
  [[nodiscard]] std::uint64_t of_a_frame() const { return static_cast<std::uint64_t>(of_a_frame_); }

 private:
  std::int64_t of_a_frame_ = 0;
  std::int64_t left_ = 0;
};

// Parts of a processor that a realm has for itself and all below it.
struct FamilyTime {
  std::uint64_t share = abi::kNoShare;
  std::uint64_t reserve = 0;              // at most `share`
  std::uint64_t reserved_for_others = 0;  // of `reserve`, for its children
  std::uint64_t children = 0;
};

// What each of a realm and its children may use beyond its reserve, so that together they use no
// more than the realm's share. It changes when the number of children doubles, not with each.
[[nodiscard]] constexpr std::uint64_t part_of_each(const FamilyTime& family) {
  if (family.share == abi::kNoShare) {
    return abi::kNoShare;
  }
  const std::uint64_t rest = family.share - family.reserve;
  if (rest == 0 && family.children == 0) {
    return 0;
  }
  return std::max(rest / std::bit_ceil(family.children + 1), abi::kLeastShare);
}

[[nodiscard]] constexpr CpuPlan own_plan(const FamilyTime& family) {
  return {.reserve = family.reserve - family.reserved_for_others, .beyond = part_of_each(family)};
}

// The share of a child that has asked for so much.
[[nodiscard]] constexpr std::uint64_t share_of_child(const FamilyTime& family, std::uint64_t asked,
                                                     std::uint64_t reserve) {
  const std::uint64_t part = part_of_each(family);
  return part == abi::kNoShare ? asked : std::min(asked, reserve + part);
}

}  // namespace lona::manager
