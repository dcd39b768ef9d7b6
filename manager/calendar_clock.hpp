// SPDX-License-Identifier: BSD-2-Clause
// The PC's battery clock (MC146818 at ports 0x70 and 0x71): what time is it? It is read once; from
// then on the time stamp counter goes on counting. The clock is taken to run in UTC.
#pragma once

#include <cstdint>
#include <optional>

#include "manager/memory.hpp"

namespace lona::manager {

// The registers as they are read; format: register B, which says how numbers are written.
struct CalendarReading {
  std::uint8_t second, minute, hour, day, month, year, format;

  bool operator==(const CalendarReading&) const = default;
};
inline constexpr std::uint8_t kCalendarBinary = 1 << 2;   // else two decimal digits in each byte
inline constexpr std::uint8_t kCalendar24Hours = 1 << 1;  // else 1 to 12, and bit 7 for p.m.

// Seconds since 1970, of the years 2000 to 2099; nothing for what is no time.
[[nodiscard]] std::optional<std::uint64_t> unix_seconds(const CalendarReading& reading);

// Seconds since 1970 now, or nothing: the machine has no such clock, or its battery is empty.
[[nodiscard]] std::optional<std::uint64_t> read_calendar_clock(Memory& memory);

}  // namespace lona::manager
