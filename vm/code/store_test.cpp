// SPDX-License-Identifier: BSD-2-Clause
// Code and values of vars go when nothing reaches them, and not before.
#include "vm/code/store.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "vm/sched/test_vm.hpp"

namespace lona::vm {
namespace {

constexpr std::size_t kMiB = 1024 * 1024;

TEST(CodeStore, keeps_what_is_marked_through_any_address_inside) {
  CodeStore store;
  Word* first = store.allocate(20);
  Word* second = store.allocate(3);
  Word* dead = store.allocate(100);
  first[19] = reinterpret_cast<Word>(second + 2) | 1;  // as a pair would be
  dead[0] = 1;
  const Word root = reinterpret_cast<Word>(first + 7);
  store.mark({&root, 1});
  store.sweep();
  EXPECT_EQ(first[19], reinterpret_cast<Word>(second + 2) | 1);
  // The dead block is the first gap that is long enough.
  EXPECT_EQ(store.allocate(100), dead);
  EXPECT_EQ(dead[0], 0u);
}

TEST(CodeStore, finds_blocks_that_only_blocks_behind_and_before_them_know) {
  CodeStore store;
  std::vector<Word*> chain;
  for (int i = 0; i < 50'000; ++i) chain.push_back(store.allocate(4));
  // Each even block knows one far behind it, each odd one a block far before it.
  for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
    const std::size_t here = i % 2 == 0 ? i : chain.size() - i;
    const std::size_t there = i % 2 == 0 ? chain.size() - i - 1 : i + 1;
    chain[here][1] = reinterpret_cast<Word>(chain[there]);
  }
  const Word root = reinterpret_cast<Word>(chain[0]);
  const std::size_t mapped = store.mapped_bytes();
  store.mark({&root, 1});
  store.sweep();
  EXPECT_EQ(chain[0][1], reinterpret_cast<Word>(chain.back()));
  store.sweep();  // now nothing is marked
  EXPECT_LT(store.mapped_bytes(), mapped / 4);
}

TEST(CodeStore, what_is_retired_goes_when_all_have_answered_unless_somebody_holds_it) {
  CodeStore store;
  store.set_least_limit(1);
  Word* reached = store.allocate(4);
  Word* held = store.allocate(4);
  Word* through = store.allocate(4);
  Word* dead = store.allocate(4);
  held[1] = reinterpret_cast<Word>(through);
  const Word root = reinterpret_cast<Word>(reached);
  store.mark({&root, 1});
  store.retire();
  EXPECT_FALSE(store.due());
  Word* later = store.allocate(4);  // nobody reaches it, but it was not there to be retired
  store.hold(reinterpret_cast<Word>(held + 2));
  store.hold(12345);  // nonsense
  for (Word* block : {reached, held, through, dead, later}) block[3] = 7;
  EXPECT_FALSE(store.due());
  store.all_answered();
  EXPECT_TRUE(store.due() && store.is_answered());
  store.sweep();
  for (Word* block : {reached, held, through, later}) EXPECT_EQ(block[3], 7u);
  EXPECT_EQ(store.allocate(4), dead);
}

TEST(CodeStore, nothing_goes_when_a_realm_below_cannot_say_what_it_holds) {
  CodeStore store;
  Word* block = store.allocate(4);
  block[3] = 7;
  store.all_answered();  // nobody was asked
  store.retire();
  store.hold_all();
  store.all_answered();
  store.sweep();
  EXPECT_EQ(block[3], 7u);
  EXPECT_NE(store.allocate(4), block);
  // The next round is a new one.
  store.retire();
  store.all_answered();
  store.sweep();
  EXPECT_EQ(store.allocate(4), block);
}

TEST(CodeStore, large_blocks_have_pages_of_their_own) {
  CodeStore store;
  Word* large = store.allocate(kMiB);
  large[kMiB - 1] = 7;
  const Word root = reinterpret_cast<Word>(large + kMiB - 1);
  store.mark({&root, 1});
  store.sweep();
  EXPECT_EQ(large[kMiB - 1], 7u);
  EXPECT_GT(store.mapped_bytes(), 8 * kMiB);
  store.sweep();
  EXPECT_LT(store.mapped_bytes(), kMiB);
}

class Reclaim : public testing::TestWithParam<unsigned> {
 protected:
  TestVm vm{VmOptions{.workers = GetParam()}};
  std::string run(std::string_view source) { return vm.run(source); }
  std::size_t mapped() { return vm.vm().code().mapped_bytes(); }
};
INSTANTIATE_TEST_SUITE_P(Workers, Reclaim, testing::Values(1u, 3u));

constexpr std::string_view kTimes =
    "(def times (fn* [n f] (if (= n 0) :done (do (f n) (times (- n 1) f)))))";

TEST_P(Reclaim, a_million_evaluated_forms_leave_nothing) {
  run(kTimes);
  EXPECT_EQ(run("(times 1000000 (fn* [n] (eval '(+ 1 (first '(1 2))))))"), ":done");
  EXPECT_LT(mapped(), 8 * kMiB);
}

TEST_P(Reclaim, a_million_redefinitions_leave_nothing) {
  run(kTimes);
  EXPECT_EQ(run("(times 500000 (fn* [n] (do (eval '(def f (fn* [x] [x \"new\"]))) (f n))))"),
            ":done");
  EXPECT_EQ(run("(times 500000 (fn* [n] (do (def data [n {n n} \"text\"]) (f n))))"), ":done");
  EXPECT_EQ(run("[data (f 1)]"), "[[1 {1 1} \"text\"] [1 \"new\"]]");
  EXPECT_LT(mapped(), 8 * kMiB);
}

TEST_P(Reclaim, long_strings_of_old_definitions_go_with_them) {
  run(kTimes);
  run("(def s \"0123456789012345678901234567890123456789012345678901234567890123456789\")");
  run("(def grow (fn* [s n] (if (= n 0) s (grow (str s s) (- n 1)))))");
  // 70 KiB each, 1.4 GiB in all.
  EXPECT_EQ(run("(times 20000 (fn* [n] (def text (grow s 10))))"), ":done");
  EXPECT_EQ(run("(= text (grow s 10))"), "true");
  EXPECT_LT(off_heap_bytes(), 64 * kMiB);
}

TEST_P(Reclaim, processes_keep_the_old_code_they_run_and_the_constants_they_hold) {
  run(kTimes);
  EXPECT_EQ(run("(def main (self))"
                "(def p (eval '(spawn (fn* [] ((fn* [parent] (do (send parent :ready)"
                "  (receive :go (send parent ['(old constant) (fn* [] '(old closure))]))))"
                "  main)))))"
                "(def held (fn* [f] (f (eval ''(held by a register)))))"
                "(receive :ready :ok)"
                "(held (fn* [value] (do"
                "  (times 200000 (fn* [n] (eval '(def old (fn* [x] [x 'other 'things])))))"
                "  (send p :go)"
                "  (receive [constant f] [value constant (f)] :after 5000 :late))))"),
            "[(held by a register) (old constant) (old closure)]");
}

TEST_P(Reclaim, messages_that_wait_and_messages_for_later_keep_what_they_hold) {
  run(kTimes);
  EXPECT_EQ(run("(send (self) (eval ''(in the mailbox)))"
                "(send-after 1500 (self) (eval ''(in a timer)))"
                "(times 200000 (fn* [n] (eval '(first '(some other list)))))"
                "[(receive x x) (receive x x :after 5000 :late)]"),
            "[(in the mailbox) (in a timer)]");
}

TEST_P(Reclaim, redefinition_while_others_run_the_function) {
  run(kTimes);
  run("(def f (fn* [n] '(1 2)))"
      "(def caller (fn* [parent n] (if (= n 0) (send parent :done)"
      "  (match (f n) '(1 2) (caller parent (- n 1)) '(2 1) (caller parent (- n 1))))))");
  EXPECT_EQ(run("(def main (self))"
                "(times 4 (fn* [i] (spawn (fn* [] (caller main 300000)))))"
                "(times 40000 (fn* [n] (do (eval '(def f (fn* [n] '(1 2))))"
                "                          (eval '(def f (fn* [n] '(2 1)))))))"
                "(times 4 (fn* [i] (receive :done :ok :after 20000 (exit :late))))"),
            ":done");
  EXPECT_LT(mapped(), 8 * kMiB);
}

}  // namespace
}  // namespace lona::vm
