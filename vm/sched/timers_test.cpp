// SPDX-License-Identifier: BSD-2-Clause
// The wheel against a sorted map.
#include "vm/sched/timers.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace lona::vm {
namespace {

constexpr std::uint64_t kTick = std::uint64_t{1} << 14;

struct Model {
  Timers wheel;
  std::multimap<std::uint64_t, Timer*> sorted;
  std::vector<Timer> timers;
  std::uint64_t now = 0;

  explicit Model(std::size_t n) : timers(n) {}
  void set(std::size_t i, std::uint64_t deadline) {
    wheel.set(timers[i], deadline);
    sorted.emplace(deadline, &timers[i]);
  }
  void forget(Timer* t) {
    auto [from, to] = sorted.equal_range(t->deadline);
    while (from != to && from->second != t) ++from;
    ASSERT_TRUE(from != to);
    sorted.erase(from);
  }
  void advance(std::uint64_t to) {
    now = to;
    while (Timer* t = wheel.take_due(now)) {
      EXPECT_LE(t->deadline, now);  // never early
      EXPECT_FALSE(t->is_set());
      forget(t);
    }
    // Late by less than a tick.
    if (!sorted.empty()) EXPECT_GT(sorted.begin()->first + kTick, now);
    EXPECT_EQ(wheel.count(), sorted.size());
    if (!wheel.empty()) EXPECT_LE(wheel.next_deadline(), sorted.begin()->first + kTick);
  }
};

TEST(Timers, random_sets_cancels_and_steps_behave_like_a_sorted_list) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937_64 random(seed);
    Model m(500);
    m.now = random() >> (8 + random() % 50);  // the wheel ends at 2^62 ns
    for (int step = 0; step < 20'000; ++step) {
      std::size_t i = random() % m.timers.size();
      if (m.timers[i].is_set()) {
        if (random() % 2 == 0) {
          m.forget(&m.timers[i]);
          m.wheel.cancel(m.timers[i]);
        }
      } else {
        m.set(i, m.now + (random() >> (4 + random() % 60)));
      }
      if (random() % 16 == 0) m.advance(m.now + (random() >> (random() % 44 + 20)));
    }
  }
}

TEST(Timers, whoever_sleeps_until_the_next_deadline_meets_every_timer_in_few_steps) {
  Model m(1000);
  std::mt19937_64 random(7);
  m.advance(123'456'789'012);
  for (std::size_t i = 0; i < m.timers.size(); ++i) m.set(i, m.now + random() % 3'600'000'000'000);
  std::size_t looks = 0;
  while (!m.wheel.empty()) {
    m.advance(std::max(m.wheel.next_deadline(), m.now));
    ASSERT_LT(++looks, 8 * m.timers.size());
  }
}

TEST(Timers, deadlines_beyond_the_wheel_and_in_the_past_are_kept_too) {
  Model m(2);
  m.advance(1'000'000'000);
  m.wheel.set(m.timers[0], ~std::uint64_t{0});
  m.wheel.set(m.timers[1], 1);
  EXPECT_EQ(m.wheel.take_due(m.now), &m.timers[1]);
  EXPECT_EQ(m.wheel.take_due(m.now), nullptr);
  EXPECT_EQ(m.wheel.take_any(), &m.timers[0]);
  EXPECT_TRUE(m.wheel.empty());
}

}  // namespace
}  // namespace lona::vm
