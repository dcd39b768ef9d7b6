// SPDX-License-Identifier: BSD-2-Clause
// The report of a fault that ends a realm: what the manager knows, and then what the realm's VM has
// to say of it, if it says it in time. That is text of the realm's, which nobody takes for more.
#pragma once

#include <optional>
#include <string_view>

#include "abi/lona/protocol.hpp"
#include "abi/lona/realm_start.hpp"
#include "base/format.hpp"

namespace lona::manager {

class LastWords {
 public:
  base::TextWriter& begin() { return report_.emplace(); }
  // From here on the realm may speak, until then.
  void wait_until(std::uint64_t tick) { until_ = tick; }
  [[nodiscard]] bool awaited() const { return until_ != 0; }
  [[nodiscard]] bool too_late(std::uint64_t tick) const { return tick >= until_; }
  void add(std::string_view words) {
    if (!words.empty()) {
      *report_ << "; " << words;
    }
  }
  void done() { until_ = 0; }
  [[nodiscard]] std::string_view report() const { return report_->text(); }

 private:
  std::optional<base::FixedText<abi::kEndTextMax>> report_;
  std::uint64_t until_ = 0;
};

}  // namespace lona::manager
