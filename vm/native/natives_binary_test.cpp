// SPDX-License-Identifier: BSD-2-Clause
// Binaries, byte buffers and #bits[…] in Lonala; plain and with a collection at every safe point.
#include <gtest/gtest.h>

#include <string>

#include "vm/heap/off_heap.hpp"
#include "vm/sched/expression_test.hpp"

namespace lona::vm {
namespace {

using Binaries = ExpressionTest;
INSTANTIATE_TEST_SUITE_P(PlainAndCollecting, Binaries, testing::Bool());

TEST_P(Binaries, Functions) {
  expect({{"(binary '(72 105))", "#bytes[0x48 0x69]"},
          {"(binary #{7})", "#bytes[0x07]"},
          {"[(binary-size #bytes\"Hello\") (binary-ref #bytes[10 20] 1)]", "[5 20]"},
          {"(binary-slice #bytes[1 2 3 4 5] 1 3)", "#bytes[0x02 0x03 0x04]"},
          {"(binary-slice #bytes[1 2 3] 2)", "#bytes[0x03]"},
          {"(binary-concat)", "#bytes[]"},
          {"(binary-concat #bytes[1] #bytes[] #bytes[2 3])", "#bytes[0x01 0x02 0x03]"},
          {"(binary-size (binary-concat (binary-copy #bytes[1 2] 50) (binary-copy #bytes[3])))",
           "101"},
          {"[(binary-index-of #bytes[1 2 3 2 3] #bytes[2 3] 2) (binary-index-of #bytes[1] "
           "#bytes[2])]",
           "[3 nil]"},
          {"(binary->string #bytes/latin1\"caf\u00e9\" :latin1)", "\"caf\u00e9\""},
          {"(string->binary \"caf\u00e9\" :latin1)", "#bytes[0x63 0x61 0x66 0xE9]"},
          {"(= #bytes[1 2] (binary-slice #bytes[0 1 2] 1))", "true"},
          {"(get %{#bytes[1 2] :found} (binary-slice #bytes[0 1 2] 1))", ":found"},
          {"(seq #bytes[7 8])", "(7 8)"},
          {"[(compare #bytes[1] #bytes[1 0]) (compare #bytes[2] #bytes[1 9])]", "[-1 1]"}});
  expect_errors({{"(binary '(256))", "type-error"},
                 {"(binary 7)", "type-error"},
                 {"(binary-ref #bytes[1] 1)", "out-of-bounds"},
                 {"(binary-ref #bytes[1] -1)", "out-of-bounds"},
                 {"(binary-slice #bytes[1 2 3] 0 10)", "out-of-bounds"},
                 {"(binary-slice #bytes[1 2 3] 2 2)", "out-of-bounds"},
                 {"(binary-copy #bytes[1] 2000000000000)", "out-of-bounds"},
                 {"(binary->string #bytes[0xFF])", "invalid-utf8"},
                 {"(binary->string #bytes[0xFF] :ascii)", "invalid-ascii"},
                 {"(string->binary \"\u20ac\" :latin1)", "invalid-latin1"},
                 {"(binary-concat #bytes[1] \"a\")", "type-error"}});
}

TEST_P(Binaries, ByteBuffers) {
  expect({{"(match (bytebuf-alloc 8) b (do (bytebuf-write16-le! b 0 0x1234) "
           "(bytebuf-write32-be! b 2 0x01020304) (bytebuf->binary b)))",
           "#bytes[0x34 0x12 0x01 0x02 0x03 0x04 0x00 0x00]"},
          {"(match (bytebuf-alloc 4) b (do (bytebuf-fill! b 1 2 0xFF) (bytebuf->binary b 0 3)))",
           "#bytes[0x00 0xFF 0xFF]"},
          {"(match (bytebuf-alloc 4) b (do (bytebuf-copy! b 1 #bytes[7 8 9] 1 2) "
           "(bytebuf->binary b)))",
           "#bytes[0x00 0x08 0x09 0x00]"},
          {"[(bytebuf-size (bytebuf-alloc 0)) (bytebuf? (bytebuf-alloc-unsafe 3))]", "[0 true]"},
          {"(match (bytebuf-alloc 1) b [(= b b) (= b (bytebuf-alloc 1))])", "[true false]"}});
  expect_errors({{"(bytebuf-read16-be (bytebuf-alloc 1) 0)", "out-of-bounds"},
                 {"(bytebuf-write8! (bytebuf-alloc 1) 1 0)", "out-of-bounds"},
                 {"(bytebuf-write8! #bytes[1] 0 0)", "type-error"},
                 {"(bytebuf-write8! (bytebuf-alloc 1) 0 :a)", "type-error"},
                 {"(bytebuf-alloc -1)", "out-of-bounds"},
                 {"(send (self) [1 {(bytebuf-alloc 1)}])", "not-sendable"},
                 {"(match (bytebuf-alloc 1) b (spawn (fn* [] b)))", "not-sendable"},
                 {"(do (def shared (bytebuf-alloc 1)) (send (self) shared))", "not-sendable"},
                 {"(exit (self) [:away (bytebuf-alloc 1)])", "not-sendable"}});
}

TEST_P(Binaries, WhatCannotBeSentSaysWhichPartAndWhere) {
  const auto refused = [](std::string_view part, std::string_view path) {
    return "ERROR [:error :not-sendable %{:part \"" + std::string(part) + "\" :path " +
           std::string(path) + "}]";
  };
  const struct {
    std::string value, path;
  } cases[] = {
      {"(bytebuf-alloc 3)", "[]"},
      {"%{:a (list 1 {2 [3 (bytebuf-alloc 3)]})}", "[:a 1 1 1]"},
      {"(append (up-to 100 {}) (bytebuf-alloc 3))", "[100]"},
      {"(list #{1 {(bytebuf-alloc 3)}} 2)", "[0]"},  // a set's element has no place
      {"[0 %{:a 1 [(bytebuf-alloc 3)] 2}]", "[1]"},  // nor has a key
      {"(match (bytebuf-alloc 3) b [0 (fn* [] b)])", "[1]"},
      {"(match (bytebuf-alloc 3) b [b b])", "[0]"},
      {"(nested 40 [1 (bytebuf-alloc 3)])",
       "[0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1]"},
  };
  vm.run("(def up-to (fn* [n v] (match n 0 v _ (up-to (- n 1) (append v n)))))");
  vm.run("(def nested (fn* [n v] (match n 0 v _ (nested (- n 1) [v]))))");
  for (const auto& [value, path] : cases) {
    EXPECT_EQ(vm.run("(send (self) " + value + ")"), refused("#<bytebuf 3>", path));
    EXPECT_EQ(vm.run("(send-after 0 (self) " + value + ")"), refused("#<bytebuf 3>", path));
  }
  EXPECT_EQ(vm.run("(match (bytebuf-alloc 3) b (spawn (fn* [] b)))"),
            refused("#<bytebuf 3>", "[]"));
  // Nor does it go with the reason of an end.
  EXPECT_EQ(vm.run("(match (spawn (fn* [] (exit [:a (bytebuf-alloc 3)]))) pid (match (monitor pid) "
                   "r (receive [:DOWN _ _ reason] reason :after 10000 :none)))"),
            "[:error :not-sendable %{:part \"#<bytebuf 3>\" :path [1] :reason "
            "\"[:a #<bytebuf 3>]\"}]");
  if (GetParam()) return;
  // Where it is in a value of that size, nobody looks.
  EXPECT_EQ(vm.run("(send (self) [(up-to 200000 {}) (bytebuf-alloc 3)])"),
            "ERROR [:error :not-sendable %{:part \"#<bytebuf 3>\"}]");
}

TEST_P(Binaries, PatternsTakeApart) {
  expect({{"(match #bytes[0x45 0 0 0x28] #bits[v:4 ihl:4 tos:8 len:16/be] [v ihl tos len])",
           "[4 5 0 40]"},
          {"(match #bytes[1 2 3] #bytes[a b c] (+ a b c))", "6"},
          {"(match #bytes[0x89 7] #bytes[0x89 & rest] rest)", "#bytes[0x07]"},
          {"(match #bytes[0x50 0] #bits[port:16/le] port)", "80"},
          {"(match #bytes[0xFF 0xFE] #bits[a:16/signed] a)", "-2"},
          {"(match #bytes[0xFE 0xFF] #bits[a:16/le/signed] a)", "-2"},
          {"(match #bytes[3 1 2 3 9] #bits[n:8 d:n/bytes & rest] [d rest])",
           "[#bytes[0x01 0x02 0x03] #bytes[0x09]]"},
          {"(match #bytes[3 1 2] #bits[n:8 d:n/bytes & rest] d _ :short)", ":short"},
          {"(match #bytes[2 1 2 1 7] #bits[n:8 a:n/bytes m:8 b:m/bytes] [a b])",
           "[#bytes[0x01 0x02] #bytes[0x07]]"},
          {"(match #bytes\"GET /x\" #bits[\"PUT \" & p] :put #bits[\"GET \" & p] p)",
           "#bytes[0x2F 0x78]"},
          {"(match #bytes[0x12 0x34 0x56] #bits[a:4 b:2/bytes c:4] [a b c])",
           "[1 #bytes[0x23 0x45] 6]"},
          {"(match #bytes[0x12 0x34] #bits[a:4 & _] a)", "1"},
          {"(match #bytes[0x12 0x34] #bits[_:4 a:8 _:4] a)", "35"},
          {"(match 12 n (match #bytes[1 2 3] #bits[a:n b:(- 24 n)] [a b]))", "[16 515]"},
          {"(match #bytes[1 2] #bits[a:8] a _ :longer)", ":longer"},
          {"(match #bytes[1] #bits[_:12] :long _ :shorter)", ":shorter"},
          {"(match #bytes[1] #bits[_:12 & _] :long _ :shorter)", ":shorter"},
          {"(match :x #bits[a:8] a _ :other)", ":other"},
          {"(match [#bytes[5] 6] [#bits[a:8] b] [a b])", "[5 6]"},
          {"(match #bytes[1 2 3] #bits[#bits[a b]:2/bytes c] [a b c])", "[1 2 3]"},
          {"(match #bytes[9] #bits[n:8] when (> n 9) :big #bits[n] :small)", ":small"},
          {"(match -1 n (match #bytes[1 2] #bits[_:n/bytes & r] r _ :none))", ":none"},
          {"(match :a n (match #bytes[1 2] #bits[_:n & r] r _ :none))", ":none"}});
  expect_errors({{"(match #bytes[1] #bits[a:16] a)", "badmatch"},
                 {"(match #bytes[1] #bits[a:3/foo] a)", "syntax-error"},
                 {"(match #bytes[1] #bits[a:4 & r] a)", "syntax-error"},
                 {"(match #bytes[1] #bits[a/bytes b:8] a)", "syntax-error"},
                 {"(match #bytes[1] #bits[& a b] a)", "syntax-error"},
                 {"(match #bytes[1] #bits[a:8/float] a)", "syntax-error"}});
}

TEST_P(Binaries, ExpressionsPutTogether) {
  expect({{"(match [4 #bytes[9 9]] [v x] #bits[v:4 5:4 300:16/le x/bytes \"ab\" & x])",
           "#bytes[0x45 0x2C 0x01 0x09 0x09 0x61 0x62 0x09 0x09]"},
          {"#bits[1:4 #bytes[0xAB 0xCD]/bytes 2:4]", "#bytes[0x1A 0xBC 0xD2]"},
          {"(match [5 16] [x n] #bits[x:n x])", "#bytes[0x00 0x05 0x05]"},
          {"#bits[-1:16/signed]", "#bytes[0xFF 0xFF]"},
          {"(match #bytes[1 2 3] b #bits[b:2/bytes])", "#bytes[0x01 0x02]"},
          {"(match [1 (binary-copy #bytes[7] 100)] [t v] "
           "(match #bits[t:8 100:16 v/bytes] #bits[a:8 n:16 w:n/bytes] [a n (= v w)]))",
           "[1 100 true]"}});
  expect_errors({{"#bits[1:4]", "badbits"},
                 {"(match #bytes[1] b #bits[b:2/bytes])", "out-of-bounds"},
                 {"(match :a b #bits[b:8])", "type-error"},
                 {"(match 7 b #bits[b/bytes])", "type-error"}});
}

TEST_P(Binaries, LargeOnesAreSharedAndFreed) {
  std::size_t before = off_heap_bytes();
  expect({{"(match (binary-copy #bytes[7] 1000) b (do (send (self) [b]) "
           "(receive [x] (= x b) :after 1000 :nothing)))",
           "true"},
          {"(do (def spam (fn* [n] (match n 0 :ok _ (do (binary-copy #bytes[7 8 9 10] 25000) "
           "(spam (- n 1)))))) (spam 500))",
           ":ok"},
          {"(do (def grow (fn* [acc n] (match n 0 (binary-size acc) _ (grow (binary-concat acc "
           "#bytes\"hello\") (- n 1))))) (grow #bytes[] 2000))",
           "10000"},
          {"(match (spawn (fn* [] (receive [from b] (send from (binary-slice b 0 100))))) p "
           "(do (send p [(self) (binary-copy #bytes[1 2] 500)]) "
           "(receive x (binary-size x) :after 1000 :nothing)))",
           "100"}});
  // Fifty megabytes were made; what is left belongs to the carriers of the pool.
  EXPECT_LE(off_heap_bytes(), before + 100'000);
}

}  // namespace
}  // namespace lona::vm
