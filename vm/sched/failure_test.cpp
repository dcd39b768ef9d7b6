// SPDX-License-Identifier: BSD-2-Clause
// Every single request for memory of a scenario is refused once: whoever asked ends with oom, or
// the scenario notices nothing; the VM goes on as if nothing had been, and nothing stays behind.
#include <gtest/gtest.h>

#include "vm/heap/allocator.hpp"
#include "vm/sched/test_vm.hpp"
#include "vm/sched/worker.hpp"

namespace lona::vm {
namespace {

// Births with links, monitors and names, messages, timers, growing and collected heaps. A child
// that cannot go on is heard of by its monitor.
constexpr std::string_view kDefinitions =
    "(def build (fn* [n l] (if (= n 0) l (build (- n 1) (prepend l [n n])))))"
    "(def churn (fn* [n] (if (= n 0) :ok (do (build 100 ()) (churn (- n 1))))))"
    "(def ends (fn* [n] (if (= n 0) :ended (receive [:DOWN _ _ _] (ends (- n 1)) :after 2000 "
    "[:missing n]))))"
    "(def child (fn* [to] (fn* [] (do (churn 5) (send to [:list (build 60 ())]) (receive :stop 1 "
    ":after 20 :left)))))"
    "(def scenario (fn* [] (do"
    "  (match (spawn-monitor (child (self)) %{:name 'it}) [p _] (do (send-named 'it :later)"
    "    (receive [:list l] (count l) [:DOWN _ _ _] (send (self) [:DOWN 1 1 1]))"
    "    (send p :stop)))"
    "  (match (spawn-link (fn* [] (churn 3))) p (monitor p))"
    "  (trap-exit true)"
    "  (spawn-link (fn* [] (exit :why)))"
    "  (receive [:EXIT _ _] 1)"
    "  (match (send-after 1000 (self) [:never 1]) t (cancel-timer t))"
    "  (send-after 0 (self) :due) (receive :due 1)"
    "  (match (ends 2) :ended (do (gc) (churn 2) (trap-exit false) :done) wrong wrong))))";

TEST(Failure, each_refused_request_ends_at_most_who_asked) {
  if constexpr (!Allocator::kCanFail) GTEST_SKIP() << "needs a build with the address sanitizer";
  TestVm vm;
  Vm::State& s = vm.vm().state();
  vm.run(kDefinitions);
  ASSERT_EQ(vm.run("(scenario)"), ":done");
  vm.run("(sleep 30)");
  const std::size_t used = used_bytes(s);
  std::size_t n = 1, ended = 0;
  for (;; ++n) {
    vm.fail_request(n);
    const std::string result = vm.run("(scenario)");
    if (s.first().allocator.has_yet_to_fail()) break;
    EXPECT_TRUE(result == ":done" || result == "ERROR [:error :oom]") << n << ": " << result;
    ended += result != ":done";
    vm.run("(sleep 25)");  // what such an end has left alone goes
    ASSERT_EQ(vm.run("(scenario)"), ":done") << "after request " << n;
  }
  s.first().allocator.fail_request(0);
  EXPECT_GT(n, 40u);
  EXPECT_GT(ended, 5u);
  vm.run("(sleep 30)");
  EXPECT_EQ(s.table.count(), 0u);
  EXPECT_LE(used_bytes(s), used);
}

}  // namespace
}  // namespace lona::vm
