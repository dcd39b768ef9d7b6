// SPDX-License-Identifier: BSD-2-Clause
// Random clauses and values: match, and receive, choose what trying clause by clause chooses, with
// the same guards called in the same order.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "vm/bytecode/opcodes.hpp"
#include "vm/sched/test_vm.hpp"

namespace lona::vm {
namespace {

// A value, or a pattern: then kName binds, kAny does not, and a tuple with `tail` ends in & tail.
struct Node {
  enum Kind : std::uint8_t { kAtom, kTuple, kVector, kMap, kName, kAny };
  Kind kind = kAtom;
  std::string text;  // of an atom or a name; the tail's name
  std::vector<Node> parts;
  std::vector<std::string> keys;
  bool tail = false;
};

std::string source(const Node& n) {
  std::string s;
  for (std::size_t i = 0; i < n.parts.size(); ++i) {
    if (!s.empty()) s += " ";
    if (n.kind == Node::kMap) s += n.keys[i] + " ";
    s += source(n.parts[i]);
  }
  switch (n.kind) {
    case Node::kTuple:
      return "[" + s + (n.tail ? " & " + n.text : "") + "]";
    case Node::kVector:
      return "{" + s + "}";
    case Node::kMap:
      return "%{" + s + "}";
    default:
      return n.text;
  }
}

using Bound = std::map<std::string, std::string>;  // name → source of its value

bool fits(const Node& p, const Node& v, Bound& bound) {
  if (p.kind == Node::kAny) return true;
  if (p.kind == Node::kName) {
    bound[p.text] = source(v);
    return true;
  }
  if (p.kind != v.kind) return false;
  if (p.kind == Node::kAtom) return p.text == v.text;
  if (p.kind == Node::kMap) {
    for (std::size_t i = 0; i < p.parts.size(); ++i) {
      std::size_t at = 0;
      while (at < v.keys.size() && v.keys[at] != p.keys[i]) at++;
      if (at == v.keys.size() || !fits(p.parts[i], v.parts[at], bound)) return false;
    }
    return true;
  }
  if (p.tail ? v.parts.size() < p.parts.size() : v.parts.size() != p.parts.size()) return false;
  for (std::size_t i = 0; i < p.parts.size(); ++i) {
    if (!fits(p.parts[i], v.parts[i], bound)) return false;
  }
  if (p.tail) {
    std::string rest;
    for (std::size_t i = p.parts.size(); i < v.parts.size(); ++i) rest += " " + source(v.parts[i]);
    bound[p.text] = "(quote (" + rest + "))";
  }
  return true;
}

struct Clause {
  Node pattern;
  std::vector<std::string> names;
  std::string guarded;  // the name the guard looks at; empty: no guard
};

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  unsigned below(unsigned n) { return static_cast<unsigned>(engine_() % n); }
  Node value(unsigned depth) { return node(depth, nullptr); }
  // A pattern like another one, with new names.
  Node variant(const Node& p, std::vector<std::string>& names, unsigned depth) {
    if (below(6) == 0) return node(depth, &names);
    Node n = p;
    if (n.kind == Node::kName) n.text = fresh(names);
    for (Node& part : n.parts) part = variant(part, names, depth == 0 ? 0 : depth - 1);
    if (n.tail) n.text = fresh(names);
    return n;
  }
  // A value that most likely fits the pattern.
  Node instance(const Node& p) {
    if (below(8) == 0 || p.kind == Node::kName || p.kind == Node::kAny) return value(1);
    Node n = p;
    for (Node& part : n.parts) part = instance(part);
    if (n.tail) n.text.clear();
    for (unsigned more = n.tail ? below(3) : 0; more > 0; --more) n.parts.push_back(value(1));
    n.tail = false;
    return n;
  }
  Clause clause(const Clause* like) {
    Clause c;
    c.pattern =
        like != nullptr && below(3) != 0 ? variant(like->pattern, c.names, 2) : node(3, &c.names);
    if (!c.names.empty() && below(3) == 0) {
      c.guarded = c.names[below(static_cast<unsigned>(c.names.size()))];
    }
    return c;
  }

 private:
  std::string fresh(std::vector<std::string>& names) {
    names.push_back("n" + std::to_string(names.size()));
    return names.back();
  }
  Node node(unsigned depth, std::vector<std::string>* names) {
    static const char* const kAtoms[] = {
        "0", "1",   ":a",    ":b",   "nil", "\"s\"",      "2",      ":c",
        "3", "\\x", "\"t\"", "true", "2.5", "\"longer\"", "#{1 2}", "12345678901234567890"};
    static const char* const kKeys[] = {":k", ":l"};
    Node n;
    const unsigned what = below(depth == 0 ? 5 : 12);
    if (names != nullptr && what < 3) {
      n.kind = what == 0 ? Node::kAny : Node::kName;
      n.text = what == 0 ? "_" : fresh(*names);
    } else if (what < 5) {
      n.text = kAtoms[below(below(3) == 0 ? 16 : 6)];
    } else if (what < 10) {
      n.kind = Node::kTuple;
    } else {
      n.kind = what == 10 ? Node::kVector : Node::kMap;
    }
    if (n.kind == Node::kMap) {
      for (const char* key : kKeys) {
        if (below(2) != 0) n.keys.push_back(key);
      }
    }
    std::size_t count = 0;
    if (n.kind == Node::kMap) count = n.keys.size();
    if (n.kind == Node::kTuple || n.kind == Node::kVector) count = below(4);
    for (std::size_t i = 0; i < count; ++i) n.parts.push_back(node(depth - 1, names));
    if (n.kind == Node::kTuple && names != nullptr && below(5) == 0) {
      n.tail = true;
      n.text = fresh(*names);
    }
    return n;
  }
  std::mt19937 engine_;
};

std::string clauses_source(const std::vector<Clause>& clauses) {
  std::string s;
  for (std::size_t i = 0; i < clauses.size(); ++i) {
    const Clause& c = clauses[i];
    s += "\n" + source(c.pattern);
    if (!c.guarded.empty()) s += " when (asked " + std::to_string(i) + " " + c.guarded + ")";
    s += " [" + std::to_string(i);
    for (const std::string& name : c.names) s += " " + name;
    s += "]";
  }
  return s;
}

// Source of what the clauses give and of the list of guards that were called.
std::string expected(const std::vector<Clause>& clauses, const Node& v) {
  std::string asked, result = "[:none]";
  for (std::size_t i = 0; i < clauses.size(); ++i) {
    const Clause& c = clauses[i];
    Bound bound;
    if (!fits(c.pattern, v, bound)) continue;
    if (!c.guarded.empty()) {
      asked += " " + std::to_string(i);
      if (bound[c.guarded] != "1" && bound[c.guarded] != ":a") continue;
    }
    result = "[" + std::to_string(i);
    for (const std::string& name : c.names) result += " " + bound[name];
    result += "]";
    break;
  }
  return "[" + result + " (quote (" + asked + "))]";
}

// Whether a message that none of them means can stay in front of the others.
bool leave_some_out(const std::vector<Clause>& clauses) {
  return std::ranges::none_of(clauses, [](const Clause& c) {
    return !c.guarded.empty() || c.pattern.kind == Node::kName || c.pattern.kind == Node::kAny;
  });
}

class WaysTest : public testing::TestWithParam<bool> {
 protected:
  TestVm vm{VmOptions{.collect_always = GetParam()}};
  void SetUp() override {
    // A guard that allocates, calls and tells that it was called.
    vm.run(
        "(def asked (fn* [i x] (do (send (self) [:asked i]) (match [x] [1] true [:a] true _ nil))))"
        "(def drain (fn* [] (receive [:asked i] (prepend (drain) i) :after 0 ())))");
  }
};
INSTANTIATE_TEST_SUITE_P(PlainAndCollecting, WaysTest, testing::Bool());

TEST_P(WaysTest, random_clauses_choose_as_one_by_one) {
  Random random(GetParam() ? 7 : 11);
  for (unsigned round = 0; round < (GetParam() ? 60u : 400u); ++round) {
    std::vector<Clause> clauses;
    for (unsigned i = 0, n = 1 + random.below(round % 4 == 0 ? 40 : 12); i < n; ++i) {
      clauses.push_back(random.clause(i == 0 ? nullptr : &clauses.back()));
    }
    const std::string text = clauses_source(clauses);
    std::string program = "(def f (fn* [p v q] (match v" + text + "\n_ [:none])))" +
                          "(def g (fn* [p v q] (do (send (self) v) (receive" + text +
                          "\nm [:none]))))\n";
    const bool behind = leave_some_out(clauses);
    if (behind) {
      program +=
          "(def h (fn* [p v q] (do (send (self) \"first\") (send (self) v) (match (receive" + text +
          "\n:after 0 [:none]) r (do (receive \"first\" 0) (receive m 0 :after 0 0) r)" + "))))\n";
    }
    program += "[";
    std::string all_true;
    for (unsigned i = 0; i < 30; ++i) {
      const Clause& aim = clauses[random.below(static_cast<unsigned>(clauses.size()))];
      const Node v = random.below(4) == 0 ? random.value(3) : random.instance(aim.pattern);
      const std::string want = expected(clauses, v);
      for (const char* with : {"f", "g", behind ? "h" : "f"}) {
        program += "(= [(" + std::string(with) + " 1 " + source(v) + " 2) (drain)] " + want + ")\n";
        all_true += all_true.empty() ? "true" : " true";
      }
    }
    ASSERT_EQ(vm.run(program + "]"), "[" + all_true + "]") << program;
  }
}

// The code of lona.user/f has so many of these instructions.
std::size_t count_of(TestVm& vm, Op op) {
  const Function* f = vm.vm().namespaces().find(intern("lona.user"))->find(intern("f"))->function;
  std::size_t count = 0;
  for (std::size_t at = 0; at < f->code_words; at += instruction_words(f->code + at)) {
    count += f->code[at].op == op_code(op) ? 1 : 0;
  }
  return count;
}

TEST_P(WaysTest, many_constants_at_one_place_are_found_in_a_table) {
  constexpr int kTags = 300;
  const auto tag = [](int i) {
    const std::string n = std::to_string(i);
    switch (i % 6) {
      case 0:
        return ":tag-" + n;
      case 1:
        return "'tag-" + n;
      case 2:
        return "\"tag " + n + "\"";
      case 3:
        return "-" + n;
      case 4:
        return n + "000000000000";
      default:
        return std::string(i == 5 ? "nil" : ":ns/") + (i == 5 ? "" : n);
    }
  };
  std::string whole, tagged;
  for (int i = 0; i < kTags; ++i) {
    whole += " " + tag(i) + " " + std::to_string(i);
    tagged += " [" + tag(i) + " x] [" + std::to_string(i) + " x]";
  }
  vm.run("(def f (fn* [v] (match v" + whole + " _ :none)))");
  EXPECT_EQ(count_of(vm, Op::kSelect), 1u);
  vm.run("(def g (fn* [v] (do (send (self) v) (receive" + tagged + " [a b c] c _ :none))))");
  for (int i = 0; i < kTags; ++i) {
    const std::string n = std::to_string(i);
    EXPECT_EQ(vm.run("(f " + tag(i) + ")"), n);
    EXPECT_EQ(vm.run("(f " + tag(i) + ")"), n);
    EXPECT_EQ(vm.run("(g [" + tag(i) + " {}])"), "[" + n + " {}]");
  }
  for (const char* other :
       {":tag", "7.0", "\"tag 3\"", "1", "(list)", "[:tag-0]", "\\x", "(self)",
        "\"a string that is longer than all that are looked for, by far, by far\"", "(list 1)",
        "5000000000000000000000000", "f", "false"}) {
    EXPECT_EQ(vm.run(std::string("(f ") + other + ")"), ":none") << other;
    EXPECT_EQ(vm.run(std::string("(g [") + other + " 1])"), ":none") << other;
    EXPECT_EQ(vm.run(std::string("(g [") + other + " 1 2])"), "2") << other;
  }
}

TEST_P(WaysTest, few_constants_have_no_table) {
  vm.run("(def f (fn* [v] (match v :a 1 :b 2 :c 3 _ 4)))");
  EXPECT_EQ(count_of(vm, Op::kSelect), 0u);
}

TEST_P(WaysTest, a_string_is_looked_for_by_its_text) {
  vm.run("(def f (fn* [v] (match v \"one\" 1 \"two\" 2 \"three\" 3 \"four\" 4 \"five\" 5 _ 0)))");
  EXPECT_EQ(count_of(vm, Op::kSelect), 1u);
  EXPECT_EQ(vm.run("[(f (str \"th\" \"ree\")) (f (str \"f\" \"ive\")) (f (str \"f\" \"ix\"))]"),
            "[3 5 0]");
}

// Guards lead into the middle of the tests.
TEST_P(WaysTest, a_table_leaves_clauses_with_guards_their_turn) {
  vm.run(
      "(def f (fn* [v q] (match v :a when (= q 1) :a1 :b when (= q 1) :b1 :c when (= q 1) :c1"
      " :a when (= q 2) :a2 :b when (= q 2) :b2 :c when (= q 2) :c2 :d :d :e :e :g :g :a :a3"
      " :h :h x [:other x])))");
  EXPECT_EQ(vm.run("[(f :a 1) (f :a 2) (f :a 3) (f :b 1) (f :b 2) (f :b 3) (f :c 2) (f :c 3)"
                   " (f :d 1) (f :g 2) (f :h 1) (f :i 1)]"),
            "[:a1 :a2 :a3 :b1 :b2 [:other :b] :c2 [:other :c] :d :g :h [:other :i]]");
}

TEST_P(WaysTest, strings_sets_pids_and_binaries_are_asked_once) {
  vm.run("(def f (fn* [v] (match v [\"s\" 1] 1 [\"s\" 2] 2 [\"t\" 1] 3 [\"s\" 3] 4 _ 0)))");
  EXPECT_EQ(count_of(vm, Op::kBranchNotValue), 2u);
  EXPECT_EQ(vm.run("(def r [(f [\"s\" 1]) (f [\"s\" 2]) (f [\"t\" 1]) (f [\"s\" 3]) (f [\"t\" 3]) "
                   "(f 1)]) r"),
            "[1 2 3 4 0 0]");
  vm.run(
      "(def f (fn* [v q] (match v #{a b} when (= q 1) [1 a b] #{a b} when (= q 2) [2 a b]"
      " (pid r l) when (= q 1) [:pid r l] (pid r l) r #bits[1 x] x #bits[2 x] [x] _ 0)))");
  EXPECT_EQ(count_of(vm, Op::kBranchNotSet), 1u);
  EXPECT_EQ(count_of(vm, Op::kBranchNotPid), 1u);
  EXPECT_EQ(count_of(vm, Op::kBranchNotBinary), 1u);
  EXPECT_EQ(vm.run("[(f #{5} 1) (f #{5 6} 3) (f #bits[2 9] 1) (f #bits[1 9] 1) (f #bits[3 9] 1)"
                   " (match (f #{5 6} 1) [1 a b] (+ a b)) (match (f #{5 6} 2) [2 a b] (+ a b))]"),
            "[0 0 [9] 9 0 11 11]");
  EXPECT_EQ(vm.run("(match [(f (self) 1) (f (self) 2)] [[:pid r _] q] (= q r))"), "true");
}

TEST_P(WaysTest, what_nothing_fits_ends_the_process) {
  EXPECT_EQ(vm.run("((fn* [v] (match v [:a 1] 1 [:a 2] 2 [:b] 3)) [:a 3])"),
            "ERROR [:error :badmatch %{:value [:a 3]}]");
}

// The code of two clauses is as long as their tests, each asked once.
TEST_P(WaysTest, clauses_share_what_they_ask) {
  std::string code = vm.run("(disassemble (fn* [v] (match v [:a x] x [:b y] y [:c 1] 3)))");
  std::size_t tests = 0, loads = 0;
  for (std::size_t at = 0; (at = code.find("BranchNotTuple", at)) != std::string::npos; ++at) {
    tests++;
  }
  for (std::size_t at = 0; (at = code.find("TupleGet", at)) != std::string::npos; ++at) loads++;
  EXPECT_EQ(tests, 1U) << code;
  EXPECT_EQ(loads, 4U) << code;  // the tag, and what is behind it in each clause
}

}  // namespace
}  // namespace lona::vm
