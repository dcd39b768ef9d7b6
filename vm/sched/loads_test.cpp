// SPDX-License-Identifier: BSD-2-Clause
#include "vm/sched/loads.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "vm/sched/test_vm.hpp"

namespace lona::vm {
namespace {

class Loads : public testing::Test {
 protected:
  Loads() {
    vm.run(
        "(def me (self)) (def f (fn* [] 1)) (def g (fn* [] 1)) (def x 1)"
        // Somebody who has nothing to do with the load.
        "(def other (spawn (fn* serve [] (receive [from q] (do (send from [:is (q)]) (serve))))))"
        "(def ask (fn* [q] (do (send other [(self) q]) (receive [:is a] a :after 5000 :lost))))");
  }
  std::string run(std::string_view source) { return vm.run(source); }
  Var* var(std::string_view name) {
    Namespaces& all = vm.vm().namespaces();
    return all.find_var(all.find(intern("lona.user")), intern(name));
  }
  TestVm vm;
};

TEST_F(Loads, only_the_loading_process_sees_what_is_held_back) {
  EXPECT_EQ(run("(hold-definitions) (def f (fn* [] 2)) (def x 2)"
                "(def seen [(f) x (ask f) (ask (fn* [] (f))) (ask (fn* [] x))])"
                "(release-definitions) [seen (ask (fn* [] [(f) x])) (f) x]"),
            "[[2 2 2 1 1] [2 2] 2 2]");
  EXPECT_EQ(var("f")->held(), nullptr);
  EXPECT_NE(var("f")->function, &kNoFunction);
}

TEST_F(Loads, an_error_or_a_kill_drops_all_of_it) {
  EXPECT_EQ(run("(hold-definitions) (def f (fn* [] 2)) (def x 2) (def f (fn* [] 3)) (+ 1 :a)"),
            "ERROR [:error :badarg %{:fn + :args (1 :a)}]");
  EXPECT_EQ(run("[(f) x (ask f)]"), "[1 1 1]");
  EXPECT_EQ(var("f")->held(), nullptr);
  EXPECT_EQ(run("(def me (self))"
                "(def p (spawn (fn* [] (do (hold-definitions) (def f (fn* [] 2)) (send me (f)) "
                "(receive :never 1)))))"
                "[(receive a a) (f) (exit p :kill) (sleep 5) (f) (alive? p)]"),
            "[2 1 :ok :ok 1 false]");
}

TEST_F(Loads, what_the_loading_process_starts_belongs_to_the_load) {
  EXPECT_EQ(run("(def me (self)) (hold-definitions) (def f (fn* [] 2))"
                "(spawn (fn* [] (do (def g (fn* [] [:g (f)])) (spawn (fn* [] (send me (g)))))))"
                "(def seen [(receive a a) (ask (fn* [] [(f) (g)])) (g)])"
                "(release-definitions) [seen (ask (fn* [] (g)))]"),
            "[[[:g 2] [1 1] [:g 2]] [:g 2]]");
}

TEST_F(Loads, one_inside_another_ends_with_it) {
  EXPECT_EQ(run("(hold-definitions) (hold-definitions) (def x 2) (release-definitions)"
                "(def seen (ask (fn* [] x))) (release-definitions) [seen (ask (fn* [] x))]"),
            "[1 2]");
  EXPECT_EQ(run("(release-definitions)"),
            "ERROR [:error :badarg %{:fn release-definitions :args ()}]");
}

constexpr std::string_view kTwoLoads =
    "(def me (self))"
    "(def loader (fn* [n] (spawn (fn* [] (do (hold-definitions) (def x n) (send me x) "
    "(receive :go (do (release-definitions) (send me :done)) :die (exit :died)))))))"
    "(def next (fn* [] (receive a a :after 5000 :lost)))";

TEST_F(Loads, loads_of_one_var_do_not_disturb_each_other) {
  const std::string start = std::string(kTwoLoads) +
                            "(def a (loader 2)) (def r1 (next)) (def b (loader 3))"
                            "(def r2 [(next) x])";
  EXPECT_EQ(run(start + "(send b :go) (def r3 [(next) x]) (send a :go) [r1 r2 r3 (next) x]"),
            "[2 [3 1] [:done 3] :done 2]");
  EXPECT_EQ(run(start + "(send b :go) (def r3 [(next) x]) (send a :die) (sleep 5) [r1 r2 r3 x]"),
            "[2 [3 2] [:done 3] 3]");
  // A definition without a load counts until a load comes into effect.
  EXPECT_EQ(run(start + "(def x 10) (def r3 x) (send a :die) (sleep 5) (def r4 x) (send b :go)"
                        "[r3 r4 (next) x]"),
            "[10 10 :done 3]");
  EXPECT_EQ(var("x")->held(), nullptr);
}

TEST_F(Loads, values_of_all_kinds_can_be_held_back) {
  EXPECT_EQ(run("(def ^%{:process-bound true} bound 1) (def local [(self) 1])"
                "(hold-definitions) (def local [(self) 2]) (def x [(self) 3])"
                "(def ^%{:macro true} f (fn* [a] (list 'quote [a a])))"
                "(def seen [(nth local 1) (nth x 1) (f y) (ask (fn* [] [x (nth local 1)]))"
                " (get (meta #'f) :macro)]) (def bound 2)"
                "(release-definitions)"
                "[seen (ask (fn* [] (nth x 1))) (f z) bound (ask (fn* [] bound))]"),
            "[[2 3 [y y] [1 1] true] 3 [z z] 2 1]");
}

TEST_F(Loads, names_without_a_value_are_held_back_too) {
  EXPECT_EQ(run("(def seen-by-other (fn* [] (ask (fn* [] (resolve 'new)))))"
                "(hold-definitions) (def new (fn* [n] (if (= n 0) :end (new (- n 1)))))"
                "(def ^%{:macro true} new-macro (fn* [x] (list 'quote x)))"
                "(def seen [(seen-by-other) (resolve 'new) (new 3) (new-macro y)])"
                "(release-definitions) [seen (seen-by-other)]"),
            "[[nil #'lona.user/new :end y] #'lona.user/new]");
  // What is dropped has no value again, and may hide nothing of lona.core.
  EXPECT_EQ(run("(hold-definitions) (def newer 1) (def inc :mine) (def seen [newer inc]) "
                "(exit seen)"),
            "ERROR [1 :mine]");
  EXPECT_EQ(run("[(resolve 'newer) (eval '(inc 1))]"), "[nil 2]");
  EXPECT_EQ(run("newer"), "ERROR [:error :undef %{:var newer}]");
}

TEST_F(Loads, what_is_over_is_given_back) {
  vm.vm().code().set_least_limit(64 * 1024);
  run("(def again (fn* [n] (if (= n 0) :done (do (hold-definitions)"
      "(eval '(def f (fn* [] [1 2 3]))) (def x [n n n]) (release-definitions) (again (- n 1))))))");
  EXPECT_EQ(run("(again 2000)"), ":done");
  const std::size_t before = vm.vm().code().mapped_bytes();
  EXPECT_EQ(run("(again 20000)"), ":done");
  EXPECT_LE(vm.vm().code().mapped_bytes(), 2 * before);
  EXPECT_EQ(run("[(f) x]"), "[[1 2 3] [1 1 1]]");
}

// As realms below read: without a lock, at any time.
TEST_F(Loads, readers_without_a_lock_see_all_of_a_load_or_nothing) {
  vm.vm().code().set_least_limit(std::size_t{1} << 40);  // it does not know of these readers
  run("(def first-one 0) (def second-one 0)");
  const Var *first = var("first-one"), *second = var("second-one");
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> wrong{0}, changes{0};
  const auto watch = [&](const Var* one, const Var* other) {
    std::int64_t last = 0;
    while (!stop.load()) {
      const std::int64_t a = one->value_in(nullptr).as_integer();
      const std::int64_t b = other->value_in(nullptr).as_integer();
      const std::int64_t c = one->value_in(nullptr).as_integer();
      // Numbers only grow, so what is read later is as new.
      const bool good = b >= a && c >= b && a >= last && one->is_bound() && other->is_bound();
      if (!good) wrong.fetch_add(1);
      if (a != last) changes.fetch_add(1);
      last = a;
    }
  };
  std::thread readers[] = {std::thread(watch, first, second), std::thread(watch, second, first)};
  EXPECT_EQ(run("(def again (fn* [n] (if (= n 20001) :done (do (hold-definitions)"
                "(def first-one n) (def second-one n) (release-definitions) (again (+ n 1))))))"
                "(again 1)"),
            ":done");
  while (changes.load() == 0) std::this_thread::yield();
  stop.store(true);
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong.load(), 0u);
}

}  // namespace
}  // namespace lona::vm
