// SPDX-License-Identifier: BSD-2-Clause
// Processes as programs see them, and what they leave behind: nothing.
#include <gtest/gtest.h>

#include "vm/platform/platform.hpp"
#include "vm/sched/test_vm.hpp"

namespace lona::vm {
namespace {

class Processes : public testing::TestWithParam<bool> {
 protected:
  TestVm vm{VmOptions{.collect_always = GetParam()}};
  std::string run(std::string_view source) { return vm.run(source); }
};
INSTANTIATE_TEST_SUITE_P(PlainAndCollecting, Processes, testing::Bool());

TEST_P(Processes, messages_come_in_order) {
  EXPECT_EQ(run("(send (self) 1) (send (self) [2 \"two\"]) (send (self) 3)"
                "[(receive x x) (receive x x) (receive x x) (receive x x :after 0 :none)]"),
            "[1 [2 \"two\"] 3 :none]");
}

TEST_P(Processes, receive_is_selective) {
  EXPECT_EQ(run("(send (self) :a) (send (self) [:b 1]) (send (self) [:b 2])"
                "[(receive [:b n] when (> n 1) n) (receive [:b n] n) (receive x x)]"),
            "[2 1 :a]");
}

TEST_P(Processes, receive_finds_every_kind_of_message_behind_all_others) {
  // First each clause with all messages before its own one, then those that fit no clause.
  EXPECT_EQ(
      run("(def all (fn* [l] (if (empty? l) :sent (do (send (self) (first l)) (all (rest l))))))"
          "(all '([] [:a] [:a 1] [:a 1 2] [:b 1] [1 1] \\c nil (:a 1) {:a 1} 7 :a [[:a 1]] \"s\" "
          "[nil 1 2 3] [:b 1 2 3 4]))"
          "(def rest* (fn* [] (receive [:no] 0 m (prepend (rest*) m) :after 0 ())))"
          "[(receive [:no] 0 [] 1) (receive [[:a n]] n) (receive [nil _ n _] n) "
          " (receive \\d 0 \\c 3) (receive 8 0 7 4) (receive nil 5) (receive :a 6)"
          " (receive [:b n] n [1 n] n) (receive [_ n] when (= n 1) n)"
          " (receive [:no 1] 0 [_ _ n] n) (receive [:b & n] n) (rest*)]"),
      "[1 1 2 3 4 5 6 1 1 2 (1 2 3 4) ([:a] [1 1] (:a 1) {:a 1} \"s\")]");
  EXPECT_EQ(run("(receive [:a] 1 [_ _] 2 :b 3 :after 0 :none)"), ":none");
}

TEST(Receive, a_look_through_a_long_mailbox_takes_time_from_the_slice) {
  // The one who looks does so for many slices; the other one has its turns meanwhile.
  for (const char* clause : {"[:end]", "m when (= m [:end])"}) {
    TestVm vm;
    std::string source =
        "(def fill (fn* [p n] (if (= n 0) (send p [:end]) (do (send p [n]) (fill p (- n 1))))))"
        "(def count-slices (fn* [p n] (receive :done n :after 0 (do (yield) (count-slices p (+ n "
        "1))))))"
        "(def me (self))"
        "(def p (spawn (fn* [] (receive :go (receive " +
        std::string(clause) +
        " (send me :done))))))"
        "(fill p 100000) (send p :go) (> (count-slices p 0) 5)";
    EXPECT_EQ(vm.run(source), "true");
  }
}

TEST_P(Processes, what_is_not_read_again_is_not_kept) {
  // The caller has a name for the list until it ends, but does not use it any more.
  EXPECT_EQ(run("(def make (fn* [n l] (if (= n 0) l (make (- n 1) (prepend l n)))))"
                "(def used (fn* [l] (do (gc) (:heap-used (process-info)))))"
                "(def old (fn* [l] (:old-heap-used (process-info))))"
                "(def both (fn* [a] (+ (used nil) (old nil))))"
                "(def dropped (fn* [] (match (make 10000 ()) l (match (count l) n (+ (both nil) (- "
                "n n))))))"
                "(def kept (fn* [] (match (make 10000 ()) l (match (both nil) n (+ n (- (count l) "
                "10000))))))"
                "[(> (dropped) 100000) (> (kept) 100000)]"),
            "[false true]");
}

TEST_P(Processes, those_of_higher_priority_run_first) {
  EXPECT_EQ(
      run("(def me (self)) (def start (fn* [p] (spawn (fn* [] (send me p)) %{:priority p})))"
          "(do (start 10) (start 100) (start 200) [(receive x x) (receive x x) (receive x x)])"),
      "[200 100 10]");
}

TEST_P(Processes, a_reference_just_made_lets_a_receive_leave_out_older_messages) {
  // Taking the message the mark hangs on, in the middle of everything, must not lose the mark.
  EXPECT_EQ(run("(send (self) :a) (send (self) :b)"
                "((fn* [f] (f (make-ref))) (fn* [r] (do (send (self) :c) (send (self) [:x r 1])"
                "(send (self) [:x r 2])"
                "[(receive :b 1) (receive [:x q n] when (= q r) n) (receive :c 3)"
                " (receive [_ q n] when (= r q) n) (receive m m) "
                " (receive [:x q] when (= q r) q :after 0 :none)])))"),
            "[1 1 3 2 :a :none]");
  // A reference that is not the newest is looked for everywhere.
  EXPECT_EQ(run("((fn* [f] (f (make-ref))) (fn* [r] (do (send (self) [r]) (make-ref)"
                "(receive [q] when (= q r) :found :after 0 :lost))))"),
            ":found");
}

TEST_P(Processes, a_guard_may_allocate_while_it_looks_at_a_message) {
  EXPECT_EQ(run("(send (self) [:a [1 2 3]]) (send (self) [:b [4 5 6]])"
                "[(receive [_ [& l]] when (= (first (rest l)) 5) l) (receive m m)]"),
            "[(4 5 6) [:a [1 2 3]]]");
}

TEST_P(Processes, ping_pong) {
  EXPECT_EQ(run("(def echo (fn* [] (receive [from x] (do (send from [:echo x]) (echo)) :stop 1)))"
                "(def p (spawn echo))"
                "(def go (fn* [n acc] (if (= n 0) acc (do (send p [(self) n]) "
                "(receive [:echo x] (go (- n 1) (+ acc x)))))))"
                "(def r (go 300 0)) (send p :stop) r"),
            "45150");
}

TEST_P(Processes, messages_of_every_size_arrive_whole_one_after_the_other) {
  // Each as large as the one before, a little larger, much larger, much smaller.
  EXPECT_EQ(run("(def list (fn* [n l] (if (= n 0) l (list (- n 1)"
                "  (prepend l [n [:item (list* n) \"a text of more than sixty-four bytes, which is "
                "not copied but counted\"] (* n 1.5)])))))"
                "(def list* (fn* [n] (prepend (prepend () n) [n])))"
                "(def there (fn* [n] (match (list n ()) l (do (send (self) l)"
                "  (receive m (if (= m l) (count m) [:other m]))))))"
                "[(there 1) (there 100) (there 100) (there 110) (there 3000) (there 3001)"
                " (there 90) (there 9) (there 3100) (there 3000) (there 2000) (there 4000)]"),
            "[1 100 100 110 3000 3001 90 9 3100 3000 2000 4000]");
}

TEST_P(Processes, a_link_carries_the_reason) {
  EXPECT_EQ(run("(trap-exit true) (def p (spawn-link (fn* [] (exit [:why 1]))))"
                "(receive [:EXIT q r] [(= p q) r] :after 1000 :late)"),
            "[true [:why 1]]");
  EXPECT_EQ(run("(def p (spawn-link (fn* [] (exit :boom)))) (receive x x :after 1000 :late)"),
            "ERROR :boom");
  EXPECT_EQ(run("(spawn-link (fn* [] 1)) (receive x x :after 20 :lives)"), ":lives");
}

TEST_P(Processes, a_monitor_tells_of_every_end) {
  EXPECT_EQ(run("(def pr (spawn-monitor (fn* [] 1))) (receive [:DOWN _ _ r] r :after 1000 :late)"),
            ":normal");
  EXPECT_EQ(run("(def m (monitor (spawn (fn* [] (first 5)))))"
                "(receive [:DOWN r _ [:error t & _]] [(= r m) t] :after 1000 :late)"),
            "[true :type-error]");
  EXPECT_EQ(run("(def p (spawn (fn* [] (receive :go 1)))) (def m (monitor p)) (demonitor m)"
                "(send p :go) (receive x x :after 20 :nothing)"),
            ":nothing");
}

TEST_P(Processes, kill_cannot_be_trapped) {
  EXPECT_EQ(run("(def pm (spawn-monitor (fn* [] (trap-exit true) (receive :never 1))))"
                "(sleep 1) (exit (first pm) :kill) (receive [:DOWN _ _ r] r :after 1000 :late)"),
            ":killed");
  EXPECT_EQ(run("(def me (self)) (def p (spawn (fn* [] (trap-exit true) (send me :up) "
                "(receive [:EXIT _ r] (send me [:got r])))))"
                "(receive :up 1) (exit p :please) (receive [:got r] r :after 1000 :late)"),
            ":please");
}

TEST_P(Processes, names) {
  EXPECT_EQ(run("(register 'me) [(= (whereis-local 'me) (self)) (send-named 'me 1) (receive x x) "
                "(unregister 'me) (whereis-local 'me) (send-named 'me 2)]"),
            "[true :ok 1 :ok nil :not-found]");
  EXPECT_EQ(run("(spawn (fn* [] (sleep 5)) %{:name 'short}) (def a (pid? (whereis-local 'short)))"
                "(sleep 30) [a (whereis-local 'short)]"),
            "[true nil]");
}

TEST_P(Processes, timeouts_and_sleep) {
  EXPECT_EQ(run("(def t (monotonic-time)) (sleep 20) (def d (- (monotonic-time) t))"
                "[(>= d 20000000) (receive :after 1 :out)]"),
            "[true :out]");
  EXPECT_EQ(run("(sleep -1)").substr(0, 22), "ERROR [:error :badarg ");
}

TEST_P(Processes, a_message_can_be_sent_later_and_taken_back) {
  EXPECT_EQ(run("(def a (send-after 20 (self) [:late 1])) (send-after 1 (self) :soon)"
                "(def left (read-timer a))"
                "[(receive x x) (receive [:late n] n) (> left 0) (read-timer a) "
                "(cancel-timer a)]"),
            "[:soon 1 true nil nil]");
  EXPECT_EQ(run("(def a (send-after 20 (self) :never)) (def left (cancel-timer a))"
                "[(<= left 20) (cancel-timer a) (receive x x :after 40 :nothing)]"),
            "[true nil :nothing]");
  EXPECT_EQ(run("(register 'later) (send-after 1 'later :by-name) (send-after 1 'nobody :lost)"
                "(receive x x :after 1000 :lost)"),
            ":by-name");
  EXPECT_EQ(run("(send-after -1 (self) 1)").substr(0, 22), "ERROR [:error :badarg ");
}

TEST_P(Processes, thousands_of_timers_fire_in_order) {
  std::string n = GetParam() ? "200" : "5000";
  EXPECT_EQ(run("(def me (self)) (def spawn-all (fn* [n] (if (= n 0) :ok (do (spawn (fn* [] "
                "(sleep (mod n 50)) (send me :x))) (spawn-all (- n 1))))))"
                "(def take-all (fn* [n] (if (= n 0) :all (receive :x (take-all (- n 1)) "
                ":after 5000 [:missing n]))))"
                "(spawn-all " +
                n + ") (take-all " + n + ")"),
            ":all");
}

TEST_P(Processes, a_busy_process_does_not_stop_others) {
  EXPECT_EQ(run("(def p (spawn (fn* spin [] (spin)))) (def q (spawn-monitor (fn* [] 1)))"
                "(def r (receive [:DOWN _ _ x] x :after 2000 :starved)) (exit p :kill) r"),
            ":normal");
}

TEST_P(Processes, nothing_stays_behind) {
  Vm::State& s = vm.vm().state();
  std::string n = GetParam() ? "50" : "2000";
  std::string program =
      "(def work (fn* [n] (if (= n 0) 0 (do (spawn-link (fn* [] (receive x [x x]))) (def q "
      "(spawn-monitor (fn* [] (send (self) [1 2 3 \"left\"]) (sleep 1)))) (work (- n 1))))))"
      "(trap-exit true) (work " +
      n + ") (sleep 20) (exit :done)";
  // Tables grow to what a round needs at its busiest, which depends on timing; a leak would make
  // every round cost something.
  constexpr int kRounds = 5;
  bool steady = false;
  for (int round = 0; round < kRounds && !steady; ++round) {
    const std::size_t used = used_bytes(s);
    run(program);
    run("(sleep 50)");
    ASSERT_EQ(s.table.count(), 0u);
    steady = used_bytes(s) <= used;
  }
  EXPECT_TRUE(steady);
}

TEST(Memory, a_process_over_its_limit_ends_with_oom) {
  TestVm vm;
  EXPECT_EQ(vm.run("(def pm (spawn-monitor (fn* grow [] ((fn* f [l] (f (prepend l 1))) ())) "
                   "%{:max-heap-size 1000000})) (receive [:DOWN _ _ r] r)"),
            "[:error :oom]");
  EXPECT_EQ(vm.run("(def pm (spawn-monitor (fn* [] ((fn* f [n] (+ 1 (f n))) 1)) "
                   "%{:max-heap-size 1000000})) (receive [:DOWN _ _ r] r)"),
            "[:error :oom]");
  EXPECT_EQ(vm.run("(+ 1 2)"), "3");
}

TEST(Memory, a_flooded_mailbox_ends_its_owner_and_no_sender) {
  TestVm vm;
  vm.run(
      "(def flood (fn* [p n m] (if (= n 0) :sent (do (send p m) (flood p (- n 1) m)))))"
      "(def victim (fn* [] (match (spawn-monitor (fn* [] (receive :never 1)) "
      "%{:max-heap-size 100000}) [p _] p)))");
  EXPECT_EQ(vm.run("(flood (victim) 20000 [1 2 3])"), ":sent");
  EXPECT_EQ(vm.run("(flood (victim) 20000 [1 2 3]) (receive [:DOWN _ _ r] r :after 5000 :alive)"),
            "[:error :oom]");
  // What fits stays.
  EXPECT_EQ(vm.run("(flood (victim) 500 [1 2 3]) (receive [:DOWN _ _ r] r :after 20 :alive)"),
            ":alive");
  // One that computes and never looks is no exception.
  EXPECT_EQ(vm.run("(def pm (spawn-monitor (fn* f [] (f)) %{:max-heap-size 100000}))"
                   "(flood (nth pm 0) 20000 [1 2 3]) (receive [:DOWN _ _ r] r :after 5000 :alive)"),
            "[:error :oom]");
}

TEST(Memory, what_was_received_no_longer_counts) {
  TestVm vm;
  EXPECT_EQ(
      vm.run("(def me (self))"
             "(def eat (fn* [n] (if (= n 0) (send me :full) (receive [_ _ _] (eat (- n 1))))))"
             "(def pm (spawn-monitor (fn* [] (eat 20000)) %{:max-heap-size 1000000}))"
             "(def feed (fn* [n] (if (= n 0) (receive :full :full [:DOWN _ _ r] r) (do (send "
             "(nth pm 0) [1 2 3]) (match (mod n 100) 0 (sleep 0) _ 0) (feed (- n 1))))))"
             "(feed 20000)"),
      ":full");
}

TEST(Memory, garbage_is_reclaimed) {
  TestVm vm;
  // About 1.6 GB pass through a process limited to 1 MB.
  EXPECT_EQ(vm.run("(def pm (spawn-monitor (fn* [] ((fn* f [n] (if (= n 0) (exit :fine) (do "
                   "[n n n n n n n n n n n n n n n n n n n] (f (- n 1))))) 10000000)) "
                   "%{:max-heap-size 1000000})) (receive [:DOWN _ _ r] r)"),
            ":fine");
}

TEST(Memory, others_run_while_a_large_heap_is_collected) {
  TestVm vm;
  // The ticker counts how often it runs while the other one collects 300,000 pairs, again and
  // again.
  EXPECT_EQ(vm.run("(def tick (fn* [n] (receive [:stop to] (send to n) :after 0 (do (lona.process/"
                   "yield) (tick (+ n 1))))))"
                   "(def build (fn* [n l] (if (= n 0) l (build (- n 1) (prepend l n)))))"
                   "(def ticker (spawn (fn* [] (tick 0))))"
                   "(def work (fn* [n l] (if (= n 0) (first l) (do (gc) (work (- n 1) l)))))"
                   "(def r (work 5 (build 300000 ()))) (send ticker [:stop (self)])"
                   "[r (> (receive n n) 100)]"),
            "[1 true]");
}

TEST(Memory, a_process_may_end_in_the_middle_of_its_collection) {
  TestVm vm;
  EXPECT_EQ(
      vm.run("(def build (fn* [n l] (if (= n 0) l (build (- n 1) (prepend l n)))))"
             "(def churn (fn* [l] (do (gc) (churn l))))"
             "(def end-one (fn* [n] (if (= n 0) :all (match (spawn-monitor (fn* [] (churn "
             "(build 100000 ())))) [p r] (do (sleep (mod n 7)) (exit p :kill) (receive [:DOWN "
             "_ _ :killed] (end-one (- n 1)) :after 5000 :late))))))"
             "(end-one 30)"),
      ":all");
}

TEST(Memory, gc_collects_old_and_young) {
  TestVm vm;
  EXPECT_EQ(vm.run("(def build (fn* [n l] (if (= n 0) l (build (- n 1) (prepend l n)))))"
                   "(def work (fn* [l] (gc) (def a (process-info)) (receive :after 0 l)"
                   "  (gc) [(= (:major-gc-count (process-info)) (+ 1 (:major-gc-count a)))"
                   "        (> (+ (:heap-used a) (:old-heap-used a)) 1600000)]))"
                   "(def r (work (build 100000 ())))"
                   "(gc) (def i (process-info))"
                   "[r (< (+ (:heap-size i) (:old-heap-size i)) 100000)]"),
            "[[true true] true]");
}

TEST(Memory, live_data_survives_many_collections) {
  TestVm vm;
  EXPECT_EQ(vm.run("(def build (fn* [n l] (if (= n 0) l (build (- n 1) (prepend l [n (+ n 1)])))))"
                   "(def sum (fn* [l s] (if (empty? l) s (sum (rest l) (+ s (nth (first l) 1))))))"
                   "(def again (fn* [k keep] (if (= k 0) (sum keep 0) (do (build 1000 ()) "
                   "(again (- k 1) keep)))))"
                   "(again 300 (build 20000 ()))"),
            "200030000");
  EXPECT_EQ(vm.run("(> (:minor-gc-count (process-info)) 0)"), "false");
}

TEST(Memory, an_idle_process_takes_no_more_than_erlangs) {
  TestVm vm;
  Vm::State& s = vm.vm().state();
  vm.run("1");
  std::size_t before = used_bytes(s);
  vm.run(
      "(def many (fn* [n] (if (= n 0) 0 (do (spawn (fn* [] (receive :never 1))) "
      "(many (- n 1)))))) (many 1000) (sleep 10)");
  std::size_t each = (used_bytes(s) - before) / 1000;
  EXPECT_EQ(s.table.count(), 1000u);
  EXPECT_LE(each, 2657u);
}

}  // namespace
}  // namespace lona::vm
