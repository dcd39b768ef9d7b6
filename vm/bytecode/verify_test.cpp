// SPDX-License-Identifier: BSD-2-Clause
// What the compiler makes is accepted; code with one thing wrong is refused.
#include "vm/bytecode/verify.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "vm/bytecode/opcodes.hpp"
#include "vm/sched/test_vm.hpp"

namespace lona::vm {
namespace {

class Verify : public testing::Test {
 protected:
  TestVm vm;
  // The function that a var holds, with code of its own to change.
  Function take(std::string_view source) {
    EXPECT_EQ(vm.run(source).substr(0, 2), "#'") << source;
    Namespaces& n = vm.vm().namespaces();
    const Function* f = n.find(intern("lona.user"))->find(intern("f"))->function;
    code.assign(f->code, f->code + f->code_words);
    Function copy = *f;
    copy.code = code.data();
    return copy;
  }
  Instruction* at(Op op) {
    for (std::size_t i = 0; i < code.size(); i += instruction_words(&code[i])) {
      if (code[i].op == op_code(op)) return &code[i];
    }
    ADD_FAILURE() << "the code has no " << op_info(op).name;
    return code.data();
  }
  static std::string problem(const Function& f) {
    const char* why = verify(f);
    return why == nullptr ? "none" : why;
  }
  std::vector<Instruction> code;
};

constexpr std::string_view kMany[] = {
    "(def f (fn* [] nil))",
    "(def f (fn* [a & r] (match r [x [y z] & _] when (< x y) (list a z) {p q} p %{:k v} v _ 1)))",
    "(def f (fn* [a] (fn* [b] (fn* [c] [a b c {a b} #{c}]))))",
    "(def f (fn* [b] (match b #bits[n:8 m:n/bytes k:4 j:4 & rest] [n m k j rest] #bits[x:64/float "
    "y:12/le _:4] [x y] _ 0)))",
    "(def f (fn* [] (receive [:a x] x [r y] when (= r :b) y :after 10 :late)))",
    "(def f (fn* [] (receive [:a x] (f) _ :other)))",
    "(def f (fn* [] (receive x when (receive y y) 1 _ when (receive z z :after 0 2) 3)))",
    "(def f (fn* g [n] (if (= n 0) 0 (+ 1 (g (- n 1))))))",
    "(def f (fn* [a b c d e f g h i j k l m n o p q r s t u v w x y z aa bb cc dd ee ff gg hh]"
    "  [(a b c) (d e f g) h i j k l m n o p q r s t u v w x y z aa bb cc dd ee ff gg hh]))",
    "(def f (fn* [s] (match s #{a b} (do (def g a) [b (f a)]) (pid r l) [r l] 'x \"y\")))",
    "(def f (fn* [s] (match s 1 2 :a 3 \"text\" 4 nil 5 'b 6 :c 7 8 9 10 11 x x)))",
};

TEST_F(Verify, accepts_what_the_compiler_makes) {
  for (std::string_view source : kMany) EXPECT_EQ(problem(take(source)), "none") << source;
}

TEST_F(Verify, refuses_unknown_instructions_and_ends) {
  Function f = take("(def f (fn* [a] (g a)))");
  code[0].op = op_code(Op::kCount);
  EXPECT_EQ(problem(f), "malformed code");
  code[0].op = 0xffff;
  EXPECT_EQ(problem(f), "malformed code");
  code[0].op = op_code(Op::kProcessEnd);
  EXPECT_EQ(problem(f), "malformed code");
  Function g = take("(def f (fn* [a] a))");
  *at(Op::kReturn) = {op_code(Op::kMove), 0, 0, 0};
  EXPECT_EQ(problem(g), "code that does not end");
}

TEST_F(Verify, refuses_registers_that_are_not_there_or_hold_nothing) {
  Function f = take("(def f (fn* [a b] (+ a b)))");
  at(Op::kAdd)->c = static_cast<std::uint16_t>(f.frame_words);
  EXPECT_EQ(problem(f), "malformed code");
  at(Op::kAdd)->c = static_cast<std::uint16_t>(f.frame_words - 1);
  EXPECT_EQ(problem(f), "a register is read that holds no value");
}

TEST_F(Verify, refuses_branches_into_the_middle_and_out) {
  Function f = take("(def f (fn* [a] (if (< a 3) [a a] a)))");
  Instruction* test = at(Op::kBranchNotLessI);
  auto* distance = reinterpret_cast<std::int64_t*>(test + 1);
  const std::int64_t right = *distance;
  for (std::int64_t wrong : {std::int64_t{0}, std::int64_t{1}, right + 100, -right - 100}) {
    *distance = wrong;
    EXPECT_EQ(problem(f), "malformed code") << wrong;
  }
  *distance = right;
  EXPECT_EQ(problem(f), "none");
}

TEST_F(Verify, refuses_parts_of_what_was_not_tested) {
  Function f = take("(def f (fn* [a] (match a [x y] x _ 0)))");
  at(Op::kTupleGet)->c = 2;
  EXPECT_EQ(problem(f), "a value is used before its test");
  at(Op::kTupleGet)->c = 0;
  EXPECT_EQ(problem(f), "none");
  at(Op::kTupleGet)->op = op_code(Op::kVectorGet);
  EXPECT_EQ(problem(f), "a value is used before its test");
}

TEST_F(Verify, refuses_live_maps_that_tell_too_little_or_too_much) {
  Function f = take("(def f (fn* [a b] [(g a) b]))");
  std::vector<std::uint64_t> maps(f.live_maps, f.live_maps + f.live_map_count);
  f.live_maps = maps.data();
  EXPECT_EQ(problem(f), "none");
  std::uint64_t& map = maps[at(Op::kCallVar)->c];
  map |= std::uint64_t{1} << (at(Op::kCallVar)->a - 1);  // where the return address will be
  EXPECT_EQ(problem(f), "a register is read that holds no value");
  map = maps[0] | std::uint64_t{1} << f.frame_words;
  EXPECT_EQ(problem(f), "malformed code");
  map = 1;  // not b, which is needed after the call
  EXPECT_NE(problem(f), "none");
}

TEST_F(Verify, refuses_calls_with_a_wrong_arity_where_nobody_checks) {
  Function f = take("(def f (fn* g [n] (+ 1 (g n))))");
  at(Op::kCallSelf)->b = 0;
  EXPECT_EQ(problem(f), "a call of itself with a wrong arity");
  Function g = take("(def f (fn* [n] {n n}))");
  reinterpret_cast<Word&>(at(Op::kCallNative)[1]) = 0xffff;
  EXPECT_EQ(problem(g), "no such native");
}

TEST_F(Verify, refuses_the_marks_of_the_vm_as_values) {
  Function f = take("(def f (fn* [] nil))");
  for (Term mark : {Term::moved(), Term::unbound(), Term::raise(), Term::native(100'000)}) {
    auto low = static_cast<std::uint32_t>(mark.bits());
    at(Op::kLoadImmediate)->b = static_cast<std::uint16_t>(low);
    at(Op::kLoadImmediate)->c = static_cast<std::uint16_t>(low >> 16);
    EXPECT_EQ(problem(f), "an immediate that is no value");
  }
}

TEST_F(Verify, refuses_taking_a_message_that_is_not_looked_at) {
  Function f = take("(def f (fn* [] (receive x x)))");
  *at(Op::kReceivePeek) = {op_code(Op::kLoadImmediate), at(Op::kReceivePeek)->a, 0, 0};
  EXPECT_EQ(problem(f), "no message is being looked at");
}

TEST_F(Verify, refuses_shapes_of_messages_that_are_none) {
  Function f = take("(def f (fn* [] (receive [:a x] x [y] y :b 1)))");
  const CodeWorld all{.term = [](void*, Term) { return true; }};
  EXPECT_EQ(verify(f, all), nullptr);
  Word tuple[5] = {};
  const auto with = [&](std::size_t n, Term a, Term b) {
    tuple[0] = Header::make(Kind::kTuple, n).bits();
    tuple[1] = tuple[3] = a.bits();
    tuple[2] = tuple[4] = b.bits();
    reinterpret_cast<Word&>(at(Op::kReceiveNext)[1]) = Term::boxed(tuple).bits();
    return verify(f, all) == nullptr;
  };
  EXPECT_TRUE(with(2, Term::integer(-2), Term::nil()));
  EXPECT_TRUE(with(4, Term::integer(2), make_keyword("a")));
  EXPECT_FALSE(with(0, Term::nil(), Term::nil()));
  EXPECT_FALSE(with(3, Term::nil(), Term::nil()));
  EXPECT_FALSE(with(2, Term::true_(), Term::nil()));
  EXPECT_FALSE(with(2, Term::integer(1 << 20), Term::nil()));
  EXPECT_FALSE(with(2, Term::nil(), Term::absent()));
  EXPECT_FALSE(with(2, Term::nil(), Term::boxed(tuple)));
  reinterpret_cast<Word&>(at(Op::kReceiveNext)[1]) = Term::true_().bits();
  EXPECT_NE(verify(f, all), nullptr);
}

// One random change anywhere: no harm in looking at it, whatever the answer.
TEST_F(Verify, refuses_tables_that_are_none) {
  const Function f = take("(def f (fn* [x] (match x 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 _ 0)))");
  auto& table = reinterpret_cast<Word*>(at(Op::kSelect))[1];
  EXPECT_EQ(problem(f), "none");
  const Term good = Term::from_bits(table);
  const auto with = [&](std::size_t i, Term t) {
    Word& word = payload(good)[i];
    const Word before = std::exchange(word, t.bits());
    const std::string why = problem(f);
    word = before;
    return why;
  };
  // In the middle of an instruction, outside, backwards, no number; a key that is none.
  for (Term distance : {Term::integer(1), Term::integer(1000), Term::integer(-2), Term::nil()}) {
    EXPECT_NE(with(1, distance), "none");
  }
  EXPECT_EQ(with(0, Term::integer(77)), "none");
  std::size_t used = 0;
  while (slot(good, used + 1) == Term::integer(0)) used += 2;
  EXPECT_NE(with(used, Term::absent()), "none");
  // Without a free entry, what is not there would be looked for for ever.
  std::vector<Word> full(good.box(), good.box() + 1 + header_of(good).words());
  for (std::size_t i = 1; i < full.size(); i += 2) {
    full[i] = Term::integer(static_cast<std::int64_t>(i)).bits();
    full[i + 1] = payload(good)[used + 1];
  }
  table = Term::boxed(full.data()).bits();
  EXPECT_NE(problem(f), "none");
  full[0] = Header::make(Kind::kTuple, 6).bits();
  full[2] = Term::integer(0).bits();
  EXPECT_NE(problem(f), "none");
  for (Term other : {Term::nil(), Term::integer(4), Term::boxed(full.data() + 1)}) {
    table = other.bits();
    full[1] = Header::make(Kind::kVector, 3).bits();
    EXPECT_NE(problem(f), "none");
  }
}

TEST_F(Verify, survives_any_change) {
  std::uint64_t random = 7;
  const auto next = [&random] {
    return random = random * 6364136223846793005 + 1442695040888963407;
  };
  unsigned refused = 0;
  for (std::string_view source : kMany) {
    Function f = take(source);
    const std::vector<Instruction> whole = code;
    for (unsigned i = 0; i < 3000; ++i) {
      // Words with addresses stay: in a test, nothing says which are good.
      Instruction* target = code.data();
      for (auto skip = (next() >> 33) % 30; skip > 0; --skip) {
        target += instruction_words(target);
        if (target >= code.data() + code.size()) target = code.data();
      }
      reinterpret_cast<std::uint16_t*>(target)[1 + (next() >> 40) % 3] =
          static_cast<std::uint16_t>((next() >> 33) % 7 == 0 ? next() >> 45 : (next() >> 45) % 12);
      refused += verify(f) != nullptr;
      code = whole;
      f.code = code.data();
    }
  }
  EXPECT_GT(refused, 5000u);
}

}  // namespace
}  // namespace lona::vm
