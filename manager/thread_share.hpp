// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

namespace lona::manager {

struct ThreadShare {
  std::uint64_t priority;
  std::uint64_t budget_us;
  std::uint64_t period_us;  // equal to the budget: round robin without a limit
};

}  // namespace lona::manager
