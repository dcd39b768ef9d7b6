// SPDX-License-Identifier: BSD-2-Clause
// The test mode in which a seed decides who runs when, and when messages arrive.
#include <gtest/gtest.h>

#include <set>

#include "vm/platform/linux/linux.hpp"
#include "vm/sched/test_vm.hpp"
#include "vm/sched/worker.hpp"

namespace lona::vm {
namespace {

// Senders and a link; the value tells in which order four messages came.
constexpr std::string_view kProgram =
    "(def me (self))"
    "(def each (fn* [n f] (if (= n 0) :ok (do (f n) (each (- n 1) f)))))"
    "(def take (fn* [n l] (if (= n 0) l (receive x (take (- n 1) (prepend l x))))))"
    "(each 3 (fn* [n] (spawn (fn* [] (do (yield) (send me n))))))"
    "(spawn (fn* [] (do (trap-exit true) (spawn-link (fn* [] (exit 4)))"
    "  (receive [:EXIT _ n] (send me n)))))"
    "(take 4 ())";

struct Outcome {
  std::string value;
  std::uint64_t history;
  auto operator<=>(const Outcome&) const = default;
};

Outcome run(std::uint64_t seed) {
  platform::simulate_clock();
  TestVm vm{VmOptions{.seed = seed}};
  std::string value = vm.run(kProgram);
  return {value, vm.vm().state().first().history};
}

TEST(Seed, decides_everything) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) EXPECT_EQ(run(seed), run(seed)) << seed;
}

TEST(Seed, another_one_gives_another_order) {
  std::set<std::string> values;
  std::set<std::uint64_t> histories;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const Outcome r = run(seed);
    values.insert(r.value);
    histories.insert(r.history);
  }
  // Of the 24 orders; and hardly any two seeds do all the same.
  EXPECT_GT(values.size(), 12u);
  EXPECT_GT(histories.size(), 95u);
}

TEST(Seed, what_a_process_sends_to_itself_is_there_at_once) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    TestVm vm{VmOptions{.seed = seed}};
    EXPECT_EQ(vm.run("(do (send (self) 1) (receive x x :after 0 :late))"), "1") << seed;
  }
}

TEST(Seed, time_jumps_to_what_is_waited_for) {
  platform::simulate_clock();
  TestVm vm{VmOptions{.seed = 1}};
  EXPECT_EQ(vm.run("(def t (monotonic-time)) (sleep 3600000) (< 3599 (/ (- (monotonic-time) t) "
                   "1000000000) 3601)"),
            "true");
}

}  // namespace
}  // namespace lona::vm
