// SPDX-License-Identifier: BSD-2-Clause
// Shares of a processor as budgets and periods of scheduling contexts.
#pragma once

#include <algorithm>
#include <bit>

#include "abi/lona/protocol.hpp"
#include "manager/thread_share.hpp"

namespace lona::manager {

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

// What each of a realm and its `children` may use, so that together they use no more than the
// realm's share. It changes when the number of children doubles, not with each of them.
[[nodiscard]] constexpr std::uint64_t shared_share(std::uint64_t share, std::uint64_t children) {
  if (share == abi::kNoShare) {
    return abi::kNoShare;
  }
  return std::max(share / std::bit_ceil(children + 1), abi::kLeastShare);
}

}  // namespace lona::manager
