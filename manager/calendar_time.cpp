// SPDX-License-Identifier: BSD-2-Clause
// The arithmetic of the calendar clock, without the clock.
#include "manager/calendar_clock.hpp"

namespace lona::manager {

namespace {

constexpr std::uint64_t kDaysTo2000 = 10957;
constexpr std::uint8_t kMonthDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

constexpr bool is_leap(unsigned year) {
  return year % 4 == 0;  // in all of 2000 to 2099
}

}  // namespace

std::optional<std::uint64_t> unix_seconds(const CalendarReading& r) {
  const bool binary = (r.format & kCalendarBinary) != 0;
  const auto number = [binary](std::uint8_t raw) -> unsigned {
    return binary ? raw : (raw >> 4) * 10U + (raw & 15U);
  };
  unsigned hour = number(r.hour);
  if ((r.format & kCalendar24Hours) == 0) {
    hour = number(r.hour & 0x7f);
    if (hour < 1 || hour > 12) return std::nullopt;
    hour = hour % 12 + ((r.hour & 0x80) != 0 ? 12 : 0);
  }
  const unsigned second = number(r.second), minute = number(r.minute), day = number(r.day);
  const unsigned month = number(r.month), year = number(r.year);
  if (second > 59 || minute > 59 || hour > 23 || year > 99 || month < 1 || month > 12) {
    return std::nullopt;
  }
  const unsigned leap_day = month == 2 && is_leap(year) ? 1 : 0;
  if (day < 1 || day > kMonthDays[month - 1] + leap_day) return std::nullopt;

  std::uint64_t days = kDaysTo2000 + year * 365 + (year + 3) / 4 + day - 1;
  for (unsigned m = 1; m < month; ++m) {
    days += kMonthDays[m - 1] + (m == 2 && is_leap(year) ? 1U : 0U);
  }
  return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

}  // namespace lona::manager
