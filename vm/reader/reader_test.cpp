// SPDX-License-Identifier: BSD-2-Clause
#include "vm/reader/reader.hpp"

#include <gtest/gtest.h>

#include <string>

#include "vm/data/map.hpp"
#include "vm/data/string.hpp"
#include "vm/heap/arena.hpp"
#include "vm/printer/printer.hpp"
#include "vm/term/equal.hpp"

namespace lona::vm {
namespace {

SymbolEntry* qualify_for_test(void*, SymbolEntry* symbol) {
  std::string_view name = symbol->full();
  if (name == "if" || name == "fn*" || name == "quote" || name == "&" || symbol->name_offset != 0)
    return symbol;
  return intern("my.ns/" + std::string(name));
}

class ReaderTest : public testing::Test {
 protected:
  ReadOutcome outcome(std::string_view text) {
    Reader reader(arena, text, {.file = "t.lona", .qualify = qualify_for_test});
    return reader.next();
  }
  // The form printed, or "!type line:column" with a "…" when more text might help.
  std::string read(std::string_view text) {
    ReadOutcome r = outcome(text);
    switch (r.kind) {
      case ReadOutcome::Kind::kEnd:
        return "end";
      case ReadOutcome::Kind::kForm:
        return std::string(string_text(print_to_string(arena, r.form)));
      default:
        break;
    }
    auto field = [&](const char* key) {
      return std::to_string(map_get(r.error_info, make_keyword(key)).as_integer());
    };
    return "!" + std::string(r.error_type) + " " + field("line") + ":" + field("column") +
           (r.incomplete ? "…" : "");
  }
  void expect_same(std::initializer_list<const char*> texts) {
    for (const char* t : texts) EXPECT_EQ(read(t), t);
  }
  Arena arena;
};

TEST_F(ReaderTest, DataPrintsAsItIsRead) {
  expect_same({"foo",
               "my-var",
               "*ns*",
               "+limit+",
               "valid?",
               "my.ns/bar",
               "+",
               "-",
               "/",
               "lona.core//",
               ":foo",
               ":my.ns/bar",
               "42",
               "-17",
               "0",
               "nil",
               "true",
               "false",
               "()",
               "[]",
               "{}",
               "%{}",
               "#{}",
               "(1 (2 [3 {4 %{5 6} #{7}}]))",
               "\\a",
               "\\newline",
               "\\space",
               "\\tab",
               "\\return",
               "\\(",
               "\\\"",
               "\\é",
               "\"\"",
               "\"tab:\\t quote:\\\" backslash:\\\\ line:\\n\"",
               "\"ümlaut 𝄞\"",
               "^%{:a true} x",
               "%",
               "%1",
               "größe",
               "a#",
               "->",
               "->>",
               "x'",
               "1152921504606846975",
               "-1152921504606846976"});
}

TEST_F(ReaderTest, EverySpellingHasItsValue) {
  struct Case {
    const char *text, *value;
  };
  for (Case c : {Case{"0xFF", "255"},
                 {"0o10", "8"},
                 {"0b1010", "10"},
                 {"2r1111", "15"},
                 {"16rFF", "255"},
                 {"36rZZ", "1295"},
                 {"1_000_000", "1000000"},
                 {"-0x_", "!invalid-number 1:1"},
                 {"+7", "7"},
                 {"-0b11", "-3"},
                 {"\\u0041", "\\A"},
                 {"\\u000A", "\\newline"},
                 {"\"\\u0041\"", "\"A\""},
                 {"\"\\uD834\\uDD1E\"", "\"𝄞\""},
                 {"\"\\u0000\"", "\"\\u0000\""},
                 {"'x", "(quote x)"},
                 {"''x", "(quote (quote x))"},
                 {"#'a/b", "(var a/b)"},
                 {"^:a ^:b x", "^%{:b true :a true} x"},
                 {"^%{:a 1} ^%{:a 2 :b 3} [x]", "^%{:a 1 :b 3} [x]"},
                 {"[1 #_2 3]", "[1 3]"},
                 {"[1 #_ #_ 2 3]", "[1]"},
                 {"#_a b", "b"},
                 {"#_a", "end"},
                 {"#bits[a/b\x01]", "!invalid-token 1:9"},
                 {"; only\n#!/no\n", "!invalid-token 2:1"},
                 {"#!/usr/bin/lona\n5", "5"},
                 {" , \t\r\n", "end"},
                 {"\xef\xbb\xbf"
                  "7",
                  "7"},
                 {"a;c\nb", "a"},
                 {"%{:a 1 :a 2}", "%{:a 2}"}}) {
    EXPECT_EQ(read(c.text), c.value) << c.text;
  }
}

TEST_F(ReaderTest, AnonymousFunctions) {
  EXPECT_EQ(read("#(+ % 1)"), "(fn* [%1] (+ %1 1))");
  EXPECT_EQ(read("#(- %2 %1)"), "(fn* [%1 %2] (- %2 %1))");
  EXPECT_EQ(read("#(f %3)"), "(fn* [%1 %2 %3] (f %3))");
  EXPECT_EQ(read("#(apply + %1 %&)"), "(fn* [%1 & %&] (apply + %1 %&))");
  EXPECT_EQ(read("#(g [% {%}])"), "(fn* [%1] (g [%1 {%1}]))");
  EXPECT_EQ(read("#()"), "(fn* [] ())");
  EXPECT_EQ(read("[#(a %) #(b %2)]"), "[(fn* [%1] (a %1)) (fn* [%1 %2] (b %2))]");
  EXPECT_EQ(read("#(#(+ % 1) %)"), "!nested-anon-fn 1:3");
  EXPECT_EQ(read("#(+ % %1)"), "!mixed-placeholders 1:7");
  EXPECT_EQ(read("#(+ %21)"), "!invalid-token 1:5");
  EXPECT_EQ(read("#(+ %x)"), "!invalid-token 1:5");
}

TEST_F(ReaderTest, SyntaxQuoteBecomesCodeThatBuildsTheForm) {
  EXPECT_EQ(read("`x"), "(quote my.ns/x)");
  EXPECT_EQ(read("`(if a 1 other/b)"), "(quote (if my.ns/a 1 other/b))");
  EXPECT_EQ(read("`~x"), "x");
  EXPECT_EQ(read("`:k"), ":k");
  EXPECT_EQ(read("`()"), "(quote ())");
  EXPECT_EQ(read("`(a ~b)"), "(lona.core/list (quote my.ns/a) b)");
  EXPECT_EQ(read("`(~@a)"), "(lona.core/concat a)");
  EXPECT_EQ(read("`(1 ~@a 2 3)"), "(lona.core/concat (lona.core/list 1) a (lona.core/list 2 3))");
  EXPECT_EQ(read("`[~a 1]"), "(lona.core/tuple a 1)");
  EXPECT_EQ(read("`[~@a]"), "(lona.core/->tuple (lona.core/concat a))");
  EXPECT_EQ(read("`{~a}"), "(lona.core/vector a)");
  EXPECT_EQ(read("`{~@a}"), "(lona.core/->vector (lona.core/concat a))");
  EXPECT_EQ(read("`%{:a ~a}"), "(lona.core/hash-map :a a)");
  EXPECT_EQ(read("`#{~a}"), "(lona.core/hash-set a)");
  EXPECT_EQ(read("`#{~@a}"), "(lona.core/->set (lona.core/concat a))");
  EXPECT_EQ(read("`((~a) 1)"), "(lona.core/list (lona.core/list a) 1)");
  EXPECT_EQ(read("`^:m ~x"), "(lona.core/with-meta x (quote %{:m true}))");
  EXPECT_EQ(read("`^:m x"), "(quote ^%{:m true} my.ns/x)");
  EXPECT_EQ(
      read("`#(f % ~x)"),
      "(lona.core/list (quote fn*) (quote [%1]) (lona.core/list (quote my.ns/f) (quote %1) x))");
  EXPECT_EQ(read("`(a `(b ~~c))"),
            "(lona.core/list (quote my.ns/a) (lona.core/list (quote lona.core/list) "
            "(quote (quote my.ns/b)) c))");
  EXPECT_EQ(read("~x"), "!unquote-outside-syntax-quote 1:1");
  EXPECT_EQ(read("`(a ~(b ~c))"), "!unquote-outside-syntax-quote 1:9");
  EXPECT_EQ(read("`~@x"), "!invalid-token 1:1");
}

TEST_F(ReaderTest, AutomaticNamesAreOnePerTemplate) {
  std::string text = read("`(x# x# y#)");
  ASSERT_TRUE(text.starts_with("(quote (x__")) << text;
  Term list = outcome("`(x# x# y#)").form.rest().first().first().is_symbol()
                  ? outcome("`(x# x# y#)").form.rest().first()
                  : Term::nil();
  ASSERT_TRUE(list.is_pair());
  Term a = list.first(), b = list.rest().first(), c = list.rest().rest().first();
  EXPECT_EQ(a, b);
  EXPECT_NE(a, c);
  EXPECT_NE(a, outcome("`x#").form.rest().first());
}

TEST_F(ReaderTest, WrongTextIsNamedWithItsPlace) {
  struct Case {
    const char *text, *error;
  };
  for (Case c : {Case{"(", "!unexpected-eof 1:1…"},
                 {"[1 2", "!unexpected-eof 1:1…"},
                 {"\"hello", "!unexpected-eof 1:1…"},
                 {"{1 2", "!unexpected-eof 1:1…"},
                 {"\n (a\n  [b", "!unexpected-eof 3:3…"},
                 {"'", "!unexpected-eof 1:1…"},
                 {"#_", "!unexpected-eof 1:1…"},
                 {"^:a", "!unexpected-eof 1:1…"},
                 {"#", "!unexpected-eof 1:1…"},
                 {"\\", "!unexpected-eof 1:1…"},
                 {"\"\\", "!unexpected-eof 1:1…"},
                 {"\"\\u00", "!unexpected-eof 1:1…"},
                 {")", "!unmatched-delimiter 1:1"},
                 {"]", "!unmatched-delimiter 1:1"},
                 {"}", "!unmatched-delimiter 1:1"},
                 {"(a]", "!unmatched-delimiter 1:3"},
                 {"(')", "!unmatched-delimiter 1:3"},
                 {"\"\\q\"", "!invalid-escape 1:1"},
                 {"\"\\x\"", "!invalid-escape 1:1"},
                 {"\"\\uD800\"", "!invalid-escape 1:1"},
                 {"37rABC", "!invalid-radix 1:1"},
                 {"1rABC", "!invalid-radix 1:1"},
                 {"12x", "!invalid-number 1:1"},
                 {"1__0", "!invalid-number 1:1"},
                 {"1_", "!invalid-number 1:1"},
                 {"0b2", "!invalid-number 1:1"},
                 {"0x", "!invalid-number 1:1"},
                 {"1.", "!invalid-number 1:1"},
                 {"1.5.2", "!invalid-number 1:1"},
                 {"1e", "!invalid-number 1:1"},
                 {"1e999", "!invalid-number 1:1"},
                 {"1/0", "!invalid-number 1:1"},
                 {"1/2/3", "!invalid-number 1:1"},
                 {"1.5u8", "!invalid-number 1:1"},
                 {"256u8", "!invalid-number 1:1"},
                 {"-1u64", "!invalid-number 1:1"},
                 {"-129i8", "!invalid-number 1:1"},
                 {"18446744073709551616u64", "!invalid-number 1:1"},
                 {"##Infinity", "!invalid-number 1:1"},
                 {"\\nonsense", "!invalid-character 1:1"},
                 {"%{:a}", "!odd-map 1:1"},
                 {"^1 x", "!invalid-metadata 1:1"},
                 {"#<fn f>", "!unreadable 1:1"},
                 {"@x", "!invalid-token 1:1"},
                 {":", "!invalid-token 1:1"},
                 {"::a", "!invalid-token 1:1"},
                 {"a/", "!invalid-token 1:1"},
                 {"/a", "!invalid-token 1:1"},
                 {"a/b/c", "!invalid-token 1:1"},
                 {"#'1", "!invalid-token 1:1"},
                 {"\x01", "!invalid-token 1:1"},
                 {"#?", "!invalid-token 1:1"},
                 {"é \xff", "é"},
                 {"(é \xff)", "!invalid-utf8 1:4"},
                 {"\"\xc3\"", "!invalid-utf8 1:2"}}) {
    EXPECT_EQ(read(c.text), c.error) << c.text;
  }
}

TEST_F(ReaderTest, GoesOnBehindAnError) {
  Reader reader(arena, "1 ) [2 \"\\q\" 3] 4 \xff 5");
  std::string log;
  for (int i = 0; i < 20; i++) {
    ReadOutcome r = reader.next();
    if (r.kind == ReadOutcome::Kind::kEnd) break;
    log += r.kind == ReadOutcome::Kind::kForm
               ? std::string(string_text(print_to_string(arena, r.form)))
               : "!" + std::string(r.error_type);
    log += ' ';
  }
  EXPECT_EQ(log, "1 !unmatched-delimiter !invalid-escape 3 !unmatched-delimiter 4 !invalid-utf8 ");
}

TEST_F(ReaderTest, FormsKnowWhereTheyWere) {
  PositionTable positions(arena);
  Reader reader(arena, "\n  (a\n    [b 'c] ^:m {d})  x",
                {.first_line = 10, .positions = &positions});
  Term form = reader.next().form;
  EXPECT_EQ(reader.form_start().line, 11u);
  EXPECT_EQ(reader.form_start().column, 3u);
  auto at = [&](Term t) {
    Position p = positions.find(t);
    return std::to_string(p.line) + ":" + std::to_string(p.column);
  };
  EXPECT_EQ(at(form), "11:3");
  Term tuple = form.rest().first();
  EXPECT_EQ(at(tuple), "12:5");
  EXPECT_EQ(at(slot(tuple, 1)), "12:8");
  EXPECT_EQ(at(form.rest().rest().first()), "12:12");
  EXPECT_EQ(reader.offset(), 25u);
  EXPECT_EQ(reader.next().kind, ReadOutcome::Kind::kForm);
  EXPECT_EQ(reader.form_start().column, 22u);
  EXPECT_EQ(reader.next().kind, ReadOutcome::Kind::kEnd);
}

TEST_F(ReaderTest, NestingIsLimitedNotFatal) {
  for (const char* open : {"(", "[", "%{", "#{", "'", "#_", "^"}) {
    std::string deep;
    for (int i = 0; i < 100'000; i++) deep += open;
    EXPECT_TRUE(read(deep).starts_with("!nesting-too-deep")) << open;
  }
  std::string fine = std::string(9'999, '(') + std::string(9'999, ')');
  EXPECT_EQ(read(fine), fine);
  std::string deep_template = "`" + std::string(300, '[') + std::string(300, ']');
  EXPECT_EQ(read(deep_template), "!nesting-too-deep 1:1");
}

TEST_F(ReaderTest, LongTextsTakeLinearTime) {
  std::string text = "(";
  for (int i = 0; i < 400'000; i++) text += "word \"s\" ";
  text += ")";
  ReadOutcome r = outcome(text);
  ASSERT_EQ(r.kind, ReadOutcome::Kind::kForm);
  CountSink sink;
  print(sink, r.form);
  EXPECT_EQ(sink.bytes(), text.size() - 1);
}

}  // namespace
}  // namespace lona::vm
