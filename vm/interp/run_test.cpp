// SPDX-License-Identifier: BSD-2-Clause
// Compiler and interpreter together: source in, value or exit reason out. Every test runs plain
// and again with a collection at every safe point.
#include <gtest/gtest.h>

#include "vm/sched/test_vm.hpp"

namespace lona::vm {
namespace {

class Run : public testing::TestWithParam<bool> {
 protected:
  TestVm vm{VmOptions{.collect_always = GetParam()}};
  std::string run(std::string_view source) { return vm.run(source); }
};
INSTANTIATE_TEST_SUITE_P(PlainAndCollecting, Run, testing::Bool());

TEST_P(Run, constants_are_themselves) {
  EXPECT_EQ(run("42"), "42");
  EXPECT_EQ(run("[1 {2 3} %{:a \"x\"} nil true ()]"), "[1 {2 3} %{:a \"x\"} nil true ()]");
  EXPECT_EQ(run("'(a [b c] \"d\")"), "(a [b c] \"d\")");
  EXPECT_EQ(run("1152921504606846975"), "1152921504606846975");
}

TEST_P(Run, collections_evaluate_their_elements) {
  EXPECT_EQ(run("((fn* [a b] [a {b a} %{:k b} #{a}]) 1 2)"), "[1 {2 1} %{:k 2} #{1}]");
}

TEST_P(Run, def_binds_late) {
  EXPECT_EQ(run("(def f (fn* [] (g))) (def g (fn* [] 1)) (f)"), "1");
  EXPECT_EQ(run("(def f (fn* [] (g))) (def g (fn* [] 1)) (def g (fn* [] 2)) (f)"), "2");
}

TEST_P(Run, functions_of_any_arity) {
  EXPECT_EQ(run("((fn* [] 7))"), "7");
  EXPECT_EQ(run("((fn* [a b c d e f g] [g f e d c b a]) 1 2 3 4 5 6 7)"), "[7 6 5 4 3 2 1]");
  EXPECT_EQ(run("((fn* [a & r] [a r]) 1)"), "[1 []]");
  EXPECT_EQ(run("((fn* [a & r] [a r]) 1 2 3)"), "[1 [2 3]]");
  EXPECT_EQ(run("((fn* [a] a))").substr(0, 24), "ERROR [:error :badarity ");
  EXPECT_EQ(run("((fn* [a & r] a))").substr(0, 24), "ERROR [:error :badarity ");
  EXPECT_EQ(run("(5 1)").substr(0, 22), "ERROR [:error :badarg ");
}

TEST_P(Run, closures_capture_through_levels) {
  EXPECT_EQ(run("((((fn* [a] (fn* [b] (fn* [c] [a b c]))) 1) 2) 3)"), "[1 2 3]");
  EXPECT_EQ(run("(def add (fn* [x] (fn* [y] (+ x y)))) ((add 10) 5)"), "15");
}

TEST_P(Run, named_functions_know_themselves) {
  EXPECT_EQ(run("((fn* fact [n] (match n 0 1 _ (* n (fact (- n 1))))) 10)"), "3628800");
  EXPECT_EQ(run("((fn* f [n] (match n 0 f _ ((fn* [] (f (- n 1)))))) 3)").substr(0, 5), "#<fn ");
}

TEST_P(Run, match_takes_the_first_clause_that_fits) {
  EXPECT_EQ(run("(match 5 1 :a 5 :b _ :c)"), ":b");
  EXPECT_EQ(run("(match [1 [2 3]] [a [b c]] [c b a])"), "[3 2 1]");
  EXPECT_EQ(run("(match [1 2 3] [h & t] [h t])"), "[1 (2 3)]");
  EXPECT_EQ(run("(match [] [h & t] :some [] :none)"), ":none");
  EXPECT_EQ(run("(match {1 2} [a b] :tuple {a b} (+ a b))"), "3");
  EXPECT_EQ(run("(match %{:a 1 :b 2} %{:c x} x %{:a x :b y} [x y])"), "[1 2]");
  EXPECT_EQ(run("(match \"hi\" \"ho\" 1 \"hi\" 2)"), "2");
  EXPECT_EQ(run("(match #{1 2} #{a b} (+ a b))"), "3");
  EXPECT_EQ(run("(match 'x 'y 1 'x 2)"), "2");
  EXPECT_EQ(run("(match 7 n when (> n 9) :big n when (< n 9) [:small n])"), "[:small 7]");
  EXPECT_EQ(run("(match 5 1 :one)"), "ERROR [:error :badmatch %{:value 5}]");
}

TEST_P(Run, macros_that_make_the_stack_move_while_eval_runs_them) {
  run("(def ^:macro big (fn* [n] (list 'quote (list n n n n n n n n n n n n n n n n n n n n))))"
      "(def many (fn* [n] (if (= n 0) :done (do (eval '(big 1)) (macroexpand-1 '(big 2))"
      "                                         (many (- n 1))))))");
  EXPECT_EQ(run("(many 500)"), ":done");
}

TEST_P(Run, arithmetic_on_constants_is_done_when_compiling) {
  const std::string constant = run("(disassemble (fn* [] 47))");
  EXPECT_EQ(run("(disassemble (fn* [] (+ 1 (* 2 (- 30 7)))))"), constant);
  EXPECT_EQ(run("((fn* [x] (if (< x (* 6 7)) (+ x (- 3 1)) x)) 41)"), "43");
  EXPECT_EQ(run("((fn* [x] (if (< x (* 6 7)) (+ x (- 3 1)) x)) 42)"), "42");
  // What is no small integer, or has another meaning here, is left to run time.
  EXPECT_EQ(run("(+ 1152921504606846975 1)"), "1152921504606846976");
  EXPECT_EQ(run("(* 4611686018427387 4611686018427387)"), "21267647932558645628532591647769");
  EXPECT_EQ(run("((fn* [+] (+ 1 2)) (fn* [a b] [a b]))"), "[1 2]");
  EXPECT_EQ(run("(+ 1 \"a\")").substr(0, 13), "ERROR [:error");
}

TEST_P(Run, branches_keep_values_apart) {
  EXPECT_EQ(run("((fn* [a b] [(if (< a b) a b) (if (= a b) :same :other) (if nil 1 2)]) 4 3)"),
            "[3 :other 2]");
  EXPECT_EQ(run("((fn* [a] (match a x when x [x] y [:no y])) false)"), "[:no false]");
  EXPECT_EQ(run("((fn* [a b] (if (match a x when x b y y) :both :not)) 1 nil)"), ":not");
  EXPECT_EQ(run("((fn* [a b] (if (match a x when x x _ b) :one :none)) nil 1)"), ":one");
}

TEST_P(Run, arithmetic_goes_on_beyond_a_word) {
  EXPECT_EQ(run("(+ 1152921504606846975 1)"), "1152921504606846976");
  EXPECT_EQ(run("(- -1152921504606846976 1)"), "-1152921504606846977");
  EXPECT_EQ(run("(* 1152921504606846975 2)"), "2305843009213693950");
  EXPECT_EQ(run("((fn* [a b] [(+ a b 1) (- a b 1) (* a b 2) (- a 100000)]) 7 3)"),
            "[11 3 42 -99993]");
}

TEST_P(Run, keywords_and_maps_can_be_called) {
  EXPECT_EQ(run("[(:a %{:a 1}) (:b %{:a 1} 9) (%{:a 1} :a)]"), "[1 9 1]");
}

TEST_P(Run, macros_expand_at_compile_time) {
  EXPECT_EQ(run("(def ^%{:macro true} twice (fn* [x] (list 'do x x))) (twice 5)"), "5");
  EXPECT_EQ(run("(def ^%{:macro true} unless (fn* [t & b] `(match ~t false (do ~@b) nil (do ~@b) "
                "_ nil))) [(unless false 1 2) (unless true 1)]"),
            "[2 nil]");
  EXPECT_EQ(run("(macroexpand-1 '(if 1 2 3))"), "(match 1 x# when x# 2 _ 3)");
}

TEST_P(Run, eval_and_apply) {
  EXPECT_EQ(run("(eval '((fn* [x] [x x]) 1))"), "[1 1]");
  EXPECT_EQ(run("(apply + 1 2 '(3 4))"), "10");
  EXPECT_EQ(run("(apply (fn* [a & b] [a b]) [1 2 3])"), "[1 [2 3]]");
  EXPECT_EQ(run("((fn* [] (+ 1 (eval '(+ 2 3)))))"), "6");
}

TEST_P(Run, the_stack_may_move_while_a_native_runs_a_macro) {
  run("(def numbers (fn* [n] (match n 0 '() _ (prepend (numbers (- n 1)) n))))"
      "(def ^%{:macro true} long (fn* [x] (prepend (numbers 60) 'do)))"
      "(def expand (fn* [n kept] (match n 0 (apply tuple kept)"
      "                                   _ (expand (- n 1) (prepend kept n)))))"
      "(def try (fn* [n] (match (expand n '()) kept"
      "  (match (macroexpand-1 '(long (a b))) x"
      "    (match (macroexpand-1 '(long c)) y (match (list kept x y) all [(count all) n]))))))"
      "(def all (fn* [n] (match n 400 :done _ (match (spawn (fn* [] (send main (try n)))) _"
      "  (receive [3 m] when (= m n) (all (+ n 1)) :after 10000 n)))))");
  EXPECT_EQ(run("(def main (self)) (all 0)"), ":done");
}

TEST_P(Run, what_is_wrong_says_where) {
  EXPECT_EQ(run("nosuch"), "ERROR [:error :undef %{:var nosuch}]");
  EXPECT_NE(run("\n\n  (def 5 6)").find(":line 3"), std::string::npos);
  EXPECT_NE(run("(fn* [[a]] a)").find(":syntax-error"), std::string::npos);
  EXPECT_NE(run("(match 1 2)").find(":syntax-error"), std::string::npos);
  EXPECT_NE(run("(emtpy? [1])").find(":hint empty?"), std::string::npos);
}

TEST_P(Run, a_trace_names_functions_and_lines) {
  run("(def inner (fn* [x] (match x 1 2)))\n(def outer (fn* [x]\n  (+ 1 (inner x))))\n[(outer 5)]");
  EXPECT_EQ(vm.trace(), "inner:1 outer:3 top-level:4 ");
}

TEST_P(Run, tail_calls_use_no_stack) {
  const char* n = GetParam() ? "20000" : "10000000";
  std::string count = std::string("((fn* loop [n] (if (= n 0) :done (loop (- n 1)))) ") + n + ")";
  EXPECT_EQ(run(count), ":done");
  std::string even = std::string(
                         "(def even (fn* [n] (if (= n 0) true (odd (- n 1))))) "
                         "(def odd (fn* [n] (if (= n 0) false (even (- n 1))))) (even ") +
                     n + ")";
  EXPECT_EQ(run(even), "true");
}

TEST_P(Run, deep_recursion_grows_the_stack) {
  std::string depth = GetParam() ? "3000" : "300000";
  EXPECT_EQ(run("((fn* sum [n] (if (= n 0) 0 (+ n (sum (- n 1))))) " + depth + ")"),
            GetParam() ? "4501500" : "45000150000");
}

TEST_P(Run, many_registers_and_big_literals) {
  std::string tuple = "[", want = "[";
  for (int i = 0; i < 200; ++i) {
    tuple += "(+ x " + std::to_string(i) + ") ";
    want += std::to_string(i + 1) + (i == 199 ? "]" : " ");
  }
  EXPECT_EQ(run("((fn* [x] " + tuple + "]) 1)"), want);
}

TEST_P(Run, a_small_callee_leaves_its_callers_large_frame_alone) {
  // The callee fills the heap as far as it may; the caller then uses all of its registers.
  std::string names, sum = "(+", body;
  for (int i = 0; i < 60; ++i) {
    std::string v = "v" + std::to_string(i);
    names += "(match (+ x " + std::to_string(i) + ") " + v + " ";
    sum += " " + v;
    body += ")";
  }
  EXPECT_EQ(run("(def fill (fn* [n l] (if (= n 0) (count l) (fill (- n 1) (prepend l [n])))))"
                "(def wide (fn* [x k] (match (fill k ()) c [c " +
                names + sum + ")" + body +
                "])))"
                "(def go (fn* [k] (if (= k 0) :good (match (wide 1 k) [c s] when (= s 1830) "
                "(if (= c k) (go (- k 1)) :bad)))))"
                "(go 200)"),
            ":good");
  EXPECT_EQ(run("(def up (fn* [n l] (if (= n 0) l (up (- n 1) (prepend l n)))))"
                "(apply (fn* [& a] (count a)) (up 5000 ()))"),
            "5000");
}

TEST_P(Run, process_bound_vars) {
  EXPECT_EQ(run("(def ^:process-bound pb 1) (def f (fn* [] pb)) (def pb 2) [(f) pb]"), "[2 2]");
  EXPECT_EQ(run("pb"), "1");
  EXPECT_EQ(run("(def ^:native no-such-thing)").substr(0, 32), "ERROR [:error :unknown-intrinsic");
}

}  // namespace
}  // namespace lona::vm
