// SPDX-License-Identifier: BSD-2-Clause
// Several workers at once: everything that processes do to each other, from different threads. Each
// scenario counts what comes back, so that whatever is lost, doubled or mixed up shows. A seed
// stands for one worker that does everything in another order.
#include <gtest/gtest.h>

#include "vm/sched/test_vm.hpp"

namespace lona::vm {
namespace {

struct Mode {
  unsigned workers;
  std::uint64_t seed;
};
void PrintTo(const Mode& mode, std::ostream* out) {
  *out << mode.workers << " workers, seed " << mode.seed;
}

class Workers : public testing::TestWithParam<Mode> {
 protected:
  Workers() {
    vm.run(
        "(def each (fn* [n f] (if (= n 0) :ok (do (f n) (each (- n 1) f)))))"
        "(def take (fn* [n acc] (if (= n 0) acc (receive [:x k] (take (- n 1) (+ acc k)) "
        ":after 20000 [:missing n]))))");
  }
  std::string run(std::string_view source) { return vm.run(source); }
  TestVm vm{VmOptions{.workers = GetParam().workers, .seed = GetParam().seed}};
};
INSTANTIATE_TEST_SUITE_P(One_Two_Four, Workers,
                         testing::Values(Mode{1, 0}, Mode{2, 0}, Mode{4, 0}));
INSTANTIATE_TEST_SUITE_P(Seeds, Workers, testing::Values(Mode{1, 1}, Mode{1, 2}, Mode{1, 3}));

TEST_P(Workers, every_message_of_many_senders_arrives_and_keeps_its_order) {
  EXPECT_EQ(
      run("(def in-order (fn* [n last] (if (= n 0) :all (receive [k i] (if (= i (+ 1 (get last "
          "k 0))) (in-order (- n 1) (put last k i)) [:wrong k i]) :after 20000 :missing))))"
          "(def me (self))"
          "(def sender (fn* [k i] (if (= i 201) :ok (do (send me [k i]) (sender k (+ i 1))))))"
          "(each 20 (fn* [k] (spawn (fn* [] (sender k 1)))))"
          "(in-order 4000 %{})"),
      ":all");
}

TEST_P(Workers, ping_pong_between_many_pairs) {
  EXPECT_EQ(run("(def me (self))"
                "(def echo (fn* [] (receive [from n] (do (send from [:x n]) (echo)) :stop 1)))"
                "(def ping (fn* [p n acc] (if (= n 0) (do (send p :stop) (send me [:x acc])) (do "
                "(send p [(self) n]) (receive [:x k] (ping p (- n 1) (+ acc k)))))))"
                "(each 16 (fn* [_] (spawn (fn* [] (ping (spawn echo) 300 0)))))"
                "(take 16 0)"),
            "722400");
}

TEST_P(Workers, processes_are_born_and_die_by_thousands_with_links_and_monitors) {
  EXPECT_EQ(run("(def me (self))"
                "(def down (fn* [n acc] (if (= n 0) acc (receive [:DOWN _ _ [:value k]] (down (- n "
                "1) (+ acc k)) :after 20000 [:missing n]))))"
                "(def watch (fn* [count] (do (each count (fn* [n] (spawn-monitor (fn* [] (exit "
                "[:value n]))))) (send me [:x (down count 0)]))))"
                "(each 8 (fn* [_] (spawn (fn* [] (watch 250)))))"
                "(take 8 0)"),
            "251000");
  // A crash in the middle of a chain of links takes all of it.
  EXPECT_EQ(
      run("(def me (self))"
          "(def chain (fn* [n] (if (= n 0) (exit :crash) (do (spawn-link (fn* [] (chain (- n "
          "1)))) (receive :never 1)))))"
          "(def many (fn* [n] (if (= n 0) :all (receive [:DOWN _ _ :crash] (many (- n 1)) :after "
          "20000 [:missing n]))))"
          "(each 20 (fn* [_] (spawn-monitor (fn* [] (chain 20))))) (many 20)"),
      ":all");
}

TEST_P(Workers, kills_links_and_monitors_race_with_ends) {
  EXPECT_EQ(
      run("(def me (self))"
          "(def downs (fn* [n] (if (= n 0) :all (receive [:DOWN _ _ _] (downs (- n 1)) :after "
          "20000 [:missing n]))))"
          "(def storm (fn* [count] (do (trap-exit true) (each count (fn* [n] (match (spawn (fn* "
          "[] (match (mod n 3) 0 :done 1 (exit :why) _ (receive :never 1)))) p (do (link p) "
          "(monitor p) (unlink p) (link p) (demonitor (monitor p)) (exit p (match (mod n 2) 0 "
          ":kill _ :please)))))) (send me [:x (match (downs count) :all 1 _ 0)]))))"
          "(each 8 (fn* [_] (spawn (fn* [] (storm 100)))))"
          "(take 8 0)"),
      "8");
}

TEST_P(Workers, timers_fire_once_or_are_taken_back) {
  EXPECT_EQ(
      run("(def me (self))"
          "(def got (fn* [n acc] (if (= n 0) acc (receive [:t k] (got (- n 1) (+ acc 1)) :after "
          "20000 [:missing n]))))"
          "(def work (fn* [count] (do 0 "
          "(match (make count 0) back (send me [:x (+ (got (- count back) 0) back)])))))"
          "(def make (fn* [n back] (if (= n 0) back (match (send-after (mod n 5) (self) [:t n]) "
          "r (do (match (mod n 2) 0 (sleep 0) _ 0) (make (- n 1) (if (= 0 (mod n 3)) (match "
          "(cancel-timer r) nil back _ (+ back 1)) back)))))))"
          "(each 8 (fn* [_] (spawn (fn* [] (work 100))))) (take 8 0)"),
      "800");
}

TEST_P(Workers, names_are_given_once) {
  EXPECT_EQ(
      run("(def me (self))"
          "(def try (fn* [] (match (whereis-local 'the-one) nil (do (spawn-monitor (fn* [] (do "
          "(register 'the-one) (send me [:x 1]) (receive :never 1)))) :ok) _ :taken)))"
          "(each 50 (fn* [_] (spawn try))) (sleep 20)"
          "(match (take 1 0) 1 (receive [:x _] :twice :after 20 (pid? (whereis-local 'the-one))))"),
      "true");
}

TEST_P(Workers, a_definition_is_seen_by_all_at_once) {
  EXPECT_EQ(
      run("(def me (self)) (def f (fn* [] 1))"
          "(def caller (fn* [n] (if (= n 0) (send me [:x 1]) (do (match (f) 1 1 2 2) (caller (- "
          "n 1))))))"
          "(each 6 (fn* [_] (spawn (fn* [] (caller 20000)))))"
          "(def again (fn* [n] (if (= n 0) 1 (do (def f (fn* [] 1)) (def f (match n n (fn* [] "
          "(match n _ 2)))) (yield) (again (- n 1))))))"
          "(again 30) (take 6 0)"),
      "6");
}

TEST_P(Workers, a_load_is_seen_whole_by_all) {
  EXPECT_EQ(
      run("(def me (self)) (def f (fn* [] [0 (g)])) (def g (fn* [] 0))"
          "(def caller (fn* [n wrong] (if (= n 0) (send me [:x wrong]) (match (f) [a b] (caller (- "
          "n 1) (if (<= a b) wrong (+ wrong 1)))))))"
          "(each 6 (fn* [_] (spawn (fn* [] (caller 10000 0)))))"
          "(def again (fn* [n] (if (= n 200) 1 (do (hold-definitions)"
          "(eval (list 'def 'f (list 'fn* [] [n '(g)]))) (yield)"
          "(def g (match n n (fn* [] n))) (release-definitions) (again (+ n 1))))))"
          "(again 1) [(take 6 0) (f)]"),
      "[0 [199 199]]");
}

TEST_P(Workers, figures_of_running_processes_can_be_asked_for) {
  EXPECT_EQ(
      run("(def spin (fn* [n] (if (= n 0) 1 (spin (- n 1)))))"
          "(def p (spawn (fn* f [] (do (spin 100) (f))))) "
          "(def ask (fn* [n] (if (= n 0) :ok (do (process-info p) (process-count) (ask (- n 1))))))"
          "(ask 300) (def r (alive? p)) (exit p :kill) r"),
      "true");
}

TEST_P(Workers, heaps_are_collected_while_messages_come) {
  EXPECT_EQ(
      run("(def me (self))"
          "(def build (fn* [n l] (if (= n 0) l (build (- n 1) (prepend l [n n])))))"
          "(def sum (fn* [l s] (if (empty? l) s (sum (rest l) (+ s (nth (first l) 1))))))"
          "(def keeper (fn* [n acc] (if (= n 0) (send me [:x acc]) (receive [:l l] (do (build "
          "500 ()) (keeper (- n 1) (+ acc (sum l 0))))))))"
          "(each 4 (fn* [_] (match (spawn (fn* [] (keeper 50 0))) p (each 50 (fn* [_] (spawn "
          "(fn* [] (send p [:l (build 100 ())]))))))))"
          "(take 4 0)"),
      "1010000");
}

TEST_P(Workers, nothing_stays_behind) {
  Vm::State& s = vm.vm().state();
  const std::string program =
      "(def me (self)) (each 500 (fn* [n] (spawn-link (fn* [] (send me [:x n])))))"
      "(take 500 0)";
  constexpr int kRounds = 8;
  bool steady = false;
  run(program);
  for (int round = 0; round < kRounds && !steady; ++round) {
    run("(sleep 20)");
    const std::size_t used = used_bytes(s);
    EXPECT_EQ(run(program), "125250");
    run("(sleep 20)");
    EXPECT_EQ(s.table.count(), 0u);
    steady = used_bytes(s) <= used;
  }
  EXPECT_TRUE(steady);
}

}  // namespace
}  // namespace lona::vm
