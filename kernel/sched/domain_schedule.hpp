// SPDX-License-Identifier: BSD-2-Clause
// Which domain runs, and until when (manual, "Domains"): a list of entries that is run through
// again and again, up to an end marker. With a single domain nothing is ever switched.
#pragma once

#include <array>

#include "kernel/api/invocation.hpp"

namespace lona::kernel {

class DomainSchedule {
 public:
  struct Entry {
    std::uint8_t domain;
    Ticks duration;

    bool is_end() const { return domain == 0 && duration == 0; }
  };
  static constexpr Ticks kMaxDuration = (Ticks{1} << 56) - 1;

  const Entry& entry(unsigned index) const { return entries_[index]; }
  // Takes effect when the entry is reached the next time.
  void configure(unsigned index, const Entry& entry) { entries_[index] = entry; }
  unsigned start_index() const { return start_; }

  // The entry starts now, and after the end marker again. It is no end marker.
  void start(unsigned index, Ticks now) {
    start_ = index;
    enter(index, now);
  }
  // The running entry has had its time: the next one starts now.
  void advance(Ticks now) {
    const unsigned next = index_ + 1;
    enter(next == entries_.size() || entries_[next].is_end() ? start_ : next, now);
  }

  std::uint8_t domain() const { return domain_; }
  Ticks end() const { return end_; }

 private:
  void enter(unsigned index, Ticks now) {
    index_ = index;
    domain_ = entries_[index].domain;
    end_ = now + entries_[index].duration;
  }

  std::array<Entry, abi::kNumDomainSchedules> entries_{{{0, kMaxDuration}}};
  unsigned start_ = 0;
  unsigned index_ = 0;
  std::uint8_t domain_ = 0;
  Ticks end_ = kMaxDuration;
};

extern DomainSchedule domain_schedule;

Result<Done> decode_domain(Invocation& invocation);

}  // namespace lona::kernel
