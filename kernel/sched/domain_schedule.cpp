// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/sched/domain_schedule.hpp"

#include "kernel/sched/scheduler.hpp"

namespace lona::kernel {

constinit DomainSchedule domain_schedule;

namespace {

// The last entry always marks the end.
constexpr unsigned kLastEntry = abi::kNumDomainSchedules - 1;

Result<Done> decode_set(Invocation& inv) {
  if (inv.too_short<abi::Label::kDomainSet>()) return fail(Failure::truncated());
  const auto domain = static_cast<std::uint8_t>(inv.arg(0));
  if (domain >= abi::kNumDomains) return fail(Failure::invalid_argument(0));
  if (!inv.extra[0]->cap.is(CapType::kTcb)) return fail(Failure::invalid_argument(1));
  set_thread_domain(*inv.extra[0]->cap.object<Tcb>(), domain);
  return Done{};
}

Result<Done> decode_configure(Invocation& inv) {
  if (inv.too_short<abi::Label::kDomainScheduleConfigure>()) return fail(Failure::truncated());
  const Word index = inv.arg(0), duration = inv.arg(2);
  const auto domain = static_cast<std::uint8_t>(inv.arg(1));
  if (index >= kLastEntry) return fail(Failure::range(0, kLastEntry - 1));
  if (domain >= abi::kNumDomains) return fail(Failure::range(0, abi::kNumDomains - 1));
  const bool needs_time = domain != 0 || index == domain_schedule.start_index();
  if (duration > DomainSchedule::kMaxDuration || (duration == 0 && needs_time)) {
    return fail(Failure::invalid_argument(2));
  }
  domain_schedule.configure(static_cast<unsigned>(index), {domain, duration});
  return Done{};
}

Result<Done> decode_set_start(Invocation& inv) {
  if (inv.too_short<abi::Label::kDomainScheduleSetStart>()) return fail(Failure::truncated());
  const Word index = inv.arg(0);
  if (index > kLastEntry) return fail(Failure::range(0, kLastEntry));
  if (domain_schedule.entry(static_cast<unsigned>(index)).is_end()) {
    return fail(Failure::invalid_argument(0));
  }
  domain_schedule.start(static_cast<unsigned>(index), scheduler().now);
  domain_changed();
  return Done{};
}

}  // namespace

Result<Done> decode_domain(Invocation& inv) {
  switch (inv.label) {
    case abi::Label::kDomainSet:
      return decode_set(inv);
    case abi::Label::kDomainScheduleConfigure:
      return decode_configure(inv);
    case abi::Label::kDomainScheduleSetStart:
      return decode_set_start(inv);
    default:
      return fail(Failure::illegal_operation());
  }
}

}  // namespace lona::kernel
