// SPDX-License-Identifier: BSD-2-Clause
#include "manager/calendar_clock.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace lona::manager {
namespace {

constexpr std::uint8_t kPlain = kCalendarBinary | kCalendar24Hours;

TEST(CalendarClock, EveryDayOfTheCenturyAgreesWithTheStandardLibrary) {
  using namespace std::chrono;
  for (sys_days day = 2000y / January / 1; day < 2100y / January / 1; day += days{1}) {
    const year_month_day date{day};
    const CalendarReading reading{
        .second = 59,
        .minute = 30,
        .hour = 23,
        .day = static_cast<std::uint8_t>(static_cast<unsigned>(date.day())),
        .month = static_cast<std::uint8_t>(static_cast<unsigned>(date.month())),
        .year = static_cast<std::uint8_t>(static_cast<int>(date.year()) - 2000),
        .format = kPlain};
    const auto expected = (day + 23h + 30min + 59s).time_since_epoch();
    ASSERT_EQ(unix_seconds(reading), static_cast<std::uint64_t>(expected.count()));
  }
}

TEST(CalendarClock, KnowsDecimalDigitsAndTwelveHours) {
  // 2026-11-21 16:05:09 in all four ways.
  constexpr std::uint64_t kSame = 1795277109;
  EXPECT_EQ(unix_seconds({9, 5, 16, 21, 11, 26, kPlain}), kSame);
  EXPECT_EQ(unix_seconds({0x09, 0x05, 0x16, 0x21, 0x11, 0x26, kCalendar24Hours}), kSame);
  EXPECT_EQ(unix_seconds({9, 5, 0x84, 21, 11, 26, kCalendarBinary}), kSame);
  EXPECT_EQ(unix_seconds({0x09, 0x05, 0x84, 0x21, 0x11, 0x26, 0}), kSame);
  // Twelve is the first hour of a half day.
  EXPECT_EQ(unix_seconds({0, 0, 12, 1, 1, 0, kCalendarBinary}), 946684800U);
  EXPECT_EQ(unix_seconds({0, 0, 0x8c, 1, 1, 0, kCalendarBinary}), 946684800U + 12 * 3600);
}

TEST(CalendarClock, RefusesWhatIsNoTime) {
  EXPECT_EQ(unix_seconds({60, 0, 0, 1, 1, 0, kPlain}), std::nullopt);
  EXPECT_EQ(unix_seconds({0, 60, 0, 1, 1, 0, kPlain}), std::nullopt);
  EXPECT_EQ(unix_seconds({0, 0, 24, 1, 1, 0, kPlain}), std::nullopt);
  EXPECT_EQ(unix_seconds({0, 0, 0, 0, 1, 0, kPlain}), std::nullopt);
  EXPECT_EQ(unix_seconds({0, 0, 0, 29, 2, 1, kPlain}), std::nullopt);
  EXPECT_EQ(unix_seconds({0, 0, 0, 1, 13, 0, kPlain}), std::nullopt);
  EXPECT_EQ(unix_seconds({0, 0, 0, 1, 1, 0, kCalendarBinary}), std::nullopt);
  EXPECT_EQ(unix_seconds({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), std::nullopt);
}

}  // namespace
}  // namespace lona::manager
