// SPDX-License-Identifier: BSD-2-Clause
// The natives on values, called from Lonala: what each promises, its errors, and that no mixture of
// arguments does harm. Every test runs plain and with a collection at every safe point.
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "vm/sched/expression_test.hpp"

namespace lona::vm {
namespace {

using Natives = ExpressionTest;
INSTANTIATE_TEST_SUITE_P(PlainAndCollecting, Natives, testing::Bool());

TEST_P(Natives, Arithmetic) {
  expect({{"(+)", "0"},
          {"(+ 1)", "1"},
          {"(+ 1 2 3 4)", "10"},
          {"(- 5)", "-5"},
          {"(- 10 3 2)", "5"},
          {"(*)", "1"},
          {"(* 2 3 4)", "24"},
          {"(/ 20 2 5)", "2"},
          {"(/ -1)", "-1"},
          {"(/ 10 2)", "5"},
          {"[(quot 10 3) (quot -10 3) (quot 10 -3)]", "[3 -3 -3]"},
          {"[(rem 10 3) (rem -10 3) (rem 10 -3)]", "[1 -1 1]"},
          {"[(mod 10 3) (mod -10 3) (mod 10 -3) (mod -9 3)]", "[1 2 -2 0]"},
          {"[(inc 1) (dec 1) (abs -3) (abs 3) (max 1 3 2) (min 2 1 3)]", "[2 0 3 3 3 1]"},
          {"(apply + '(1 2 3))", "6"},
          {"(apply max [4 9 2])", "9"},
          {"[(zero? 0) (pos? 0) (neg? -1) (even? -2) (odd? -1)]", "[true false true true true]"},
          {"[(< 1 2 3) (< 1 3 2) (> 3 2 1) (>= 3 2 2) (<= 1 1 0) (< 5)]",
           "[true false true true false true]"}});
  expect_errors({{"(+ 1 \"a\")", "badarg"},
                 {"(< 1 :a)", "badarg"},
                 {"(/ 1 0)", "division-by-zero"},
                 {"(quot 1 0)", "division-by-zero"},
                 {"(rem 1 0)", "division-by-zero"},
                 {"(mod 1 0)", "division-by-zero"},
                 {"(even? :a)", "badarg"}});
}

TEST_P(Natives, NumbersOfAllKinds) {
  expect({{"[(inc 1152921504606846975) (dec -1152921504606846976) (- -1152921504606846976)]",
           "[1152921504606846976 -1152921504606846977 1152921504606846976]"},
          {"[(* 99999999999 99999999999 0) (quot -1152921504606846976 -1) (abs "
           "-1000000000000000000000)]",
           "[0 1152921504606846976 1000000000000000000000]"},
          {"[(+ 1/3 1/6) (* 2/3 3/2) (- 1/2) (/ 1 3) (/ 2) (mod -7/2 2) (quot 7/2 2)]",
           "[1/2 1 -1/2 1/3 1/2 1/2 1]"},
          {"[(+ 0.1 0.2) (+ 1 0.5) (* 2.0 1/2) (- 1.5 1f32) (+ 1f32 1/2) (/ 1.0 0) (- 0.0)]",
           "[0.30000000000000004 1.5 1.0 0.5 1.5f32 ##Inf -0.0]"},
          {"[(+ 250u8 10u8) (* 200u8 2u8) (- 0u64 1u64) (+ 1u8 1000) (inc 255u8) (- -128i8)]",
           "[4u8 144u8 18446744073709551615u64 1001 0u8 -128i8]"},
          {"[(u8 256) (u8 -1) (i8 128) (i16 -32769) (u64 -1) (i32 2.9) (integer -2.9) (u8 5/2)]",
           "[0u8 255u8 -128i8 32767i16 18446744073709551615u64 2i32 -2 2u8]"},
          {"[(checked-add 1u8 2u8) (checked-sub 1u8 2u8) (checked-mul -128i8 -1i8)]",
           "[[:ok 3u8] [:error :overflow] [:error :overflow]]"},
          {"[(saturating-add -120i8 -20i8) (saturating-sub 1u64 2u64) (saturating-mul 5i64 7i64)]",
           "[-128i8 0u64 35i64]"},
          {"[(= 1 1.0) (= 1 1u8) (== 1 1.0 1u8) (= ##NaN ##NaN) (= 0.0 -0.0) (< 1/3 0.34)]",
           "[false false true false true true]"},
          {"[(type 1/2) (type 0.5) (type 1f32) (type 1u8) (type 1000000000000000000000)]",
           "[:ratio :float :f32 :u8 :integer]"},
          {"[(zero? 0.0) (zero? 0u8) (pos? ##NaN) (neg? -1/2) (max 1 5/2 2.0) (min 1 ##NaN)]",
           "[true true false true 5/2 ##NaN]"},
          {"(get (hash-map 1.5 :a 1000000000000000000000 :b 1/2 :c 7u64 :d) (/ 3 6))", ":c"},
          {"(sort-values {3 1.5 1/2 ##Inf 2u8 -1000000000000000000000})",
           "(-1000000000000000000000 1/2 1.5 2u8 3 ##Inf)"}});
  expect_errors({{"(/ 1/2 0)", "division-by-zero"},
                 {"(quot 1.0 0)", "division-by-zero"},
                 {"(mod 7u8 0u8)", "division-by-zero"},
                 {"(checked-add 1u8 1)", "badarg"},
                 {"(checked-add 1u8 1u16)", "badarg"},
                 {"(integer ##Inf)", "badarg"},
                 {"(exact ##NaN)", "badarg"},
                 {"(even? 1.5)", "badarg"},
                 {"(numerator 1.5)", "badarg"},
                 {"(bit-and 1.5 1)", "badarg"},
                 {"(+ 1/2 :a)", "badarg"},
                 {"(bit-shl 1 100000000000)", "oom"}});
}

TEST_P(Natives, Bits) {
  expect({{"[(bit-and 12 10) (bit-or 0 1 2 4) (bit-xor 12 10) (bit-not 0)]", "[8 7 6 -1]"},
          {"[(bit-shl 1 4) (bit-shl -1 60) (bit-shr 16 2) (bit-shr -16 2) (bit-shr 5 100)]",
           "[16 -1152921504606846976 4 -4 0]"},
          {"[(bit-test 10 1) (bit-test 10 2) (bit-test -1 500) (bit-set 8 0) (bit-clear 15 1)]",
           "[true false true 9 13]"},
          {"[(bit-flip 10 1) (bit-flip 10 0) (bit-field 0xABCD 4 8) (bit-field-set 0 4 8 0xFF)]",
           "[8 11 188 4080]"},
          {"[(bit-count 255) (bit-count 0) (mask-bits 4) (mask-range 4 8)]", "[8 0 15 240]"}});
  expect_errors({{"(bit-shl 1 -1)", "badarg"},
                 {"(bit-field 1u32 20 13)", "badarg"},
                 {"(bit-and 1 :a)", "badarg"},
                 {"(bit-count -1)", "badarg"}});
}

TEST_P(Natives, Comparison) {
  expect(
      {{"[(= 1 1 1) (= 1 1 2) (= [1 \"a\"] [1 \"a\"]) (= [1] '(1)) (not= 1 2) (not= 1 1)]",
        "[true false true false true false]"},
       {"[(compare 1 2) (compare \"b\" \"a\") (compare [1] [1]) (compare nil 0)]", "[-1 1 0 -1]"},
       {"(= (hash %{:a 1 :b 2}) (hash %{:b 2 :a 1}))", "true"},
       {"(identical? [1] [1])", "false"},
       {"[(not nil) (not false) (not 0)]", "[true true false]"},
       {"(= (with-meta [1] %{:a 1}) [1])", "true"},
       {"(meta (with-meta 'a %{:b 1}))", "%{:b 1}"}});
}

TEST_P(Natives, Types) {
  expect(
      {{"(list (type nil) (type true) (type 1) (type \"\") (type \\a) (type 'a) (type :a) (type "
        "()) "
        "(type [1]) (type {}) (type %{}) (type #{}) (type +) (type (fn* [] 1)) (type #'+))",
        "(:nil :boolean :integer :string :char :symbol :keyword :list :tuple :vector :map :set :fn "
        ":fn :var)"},
       {"[(list? ()) (list? nil) (map? #{}) (set? #{1}) (fn? first) (fn? :a) (tuple? [])]",
        "[true false false true true false true]"},
       {"[(symbol? (with-meta 'a %{:x 1})) (coll? \"\") (seqable? \"\") (number? 1) (float? 1)]",
        "[true false true true false]"}});
}

TEST_P(Natives, Collections) {
  expect({{"(list (count '(1 2)) (count [1 2 3]) (count {1}) (count %{:a 1}) (count #{1 2}) (count "
           "\"hé\") "
           "(count nil))",
           "(2 3 1 1 2 2 0)"},
          {"[(nth [1 2 3] 0) (nth {10 20} 1) (nth '(a b) 1) (nth [1] 10 :no) (nth [1] -1) (nth "
           "\"hé\" 1)]",
           "[1 20 b :no nil \\é]"},
          {"[(get %{:a 1} :a) (get %{:a 1} :b) (get %{:a nil} :a 2) (get [5 6] 1) (get #{:x} :x) "
           "(get nil 1 2)]",
           "[1 nil nil 6 :x 2]"},
          {"[(put %{:a 1} :b 2) (put {1 2} 1 :x) (put {1 2} 2 :x) (put [1 2] 0 :x) (put nil :a 1)]",
           "[%{:a 1 :b 2} {1 :x} {1 2 :x} [:x 2] %{:a 1}]"},
          {"[(dissoc %{:a 1 :b 2} :a) (dissoc %{:a 1} :b) (dissoc %{:a 1 :b 2} :a :b)]",
           "[%{:b 2} %{:a 1} %{}]"},
          {"[(keys %{:a 1 :b 2}) (vals %{:a 1 :b 2}) (keys %{}) (contains? %{:a nil} :a)]",
           "[(:a :b) (1 2) () true]"},
          {"[(prepend '(2 3) 1) (prepend nil 1) (append {1} 2 3) (append [1] 2) (append {} 1)]",
           "[(1 2 3) (1) {1 2 3} [1 2] {1}]"},
          {"[(set-add #{1 2} 3) (set-remove #{1 2 3} 2) (set-contains? #{1} 1) (merge %{:a 1} nil "
           "%{:a 2 :b 3})]",
           "[#{1 2 3} #{1 3} true %{:a 2 :b 3}]"},
          {"[(list 1 2) (tuple 1 2) (vector 1 2) (hash-map :a 1) (hash-set 1 1 2)]",
           "[(1 2) [1 2] {1 2} %{:a 1} #{1 2}]"}});
  expect_errors({{"(contains? [1] 0)", "type-error"},
                 {"(contains? #{1} 1)", "type-error"},
                 {"(count 5)", "type-error"},
                 {"(nth 5 0)", "type-error"},
                 {"(put {1} 5 1)", "out-of-bounds"},
                 {"(put [1] 1 1)", "out-of-bounds"},
                 {"(hash-map 1)", "badarg"},
                 {"(append '(1) 2)", "type-error"},
                 {"(prepend [1] 2)", "type-error"},
                 {"(keys [1])", "type-error"},
                 {"(get 1 1)", "type-error"}});
}

TEST_P(Natives, Sequences) {
  expect(
      {{"[(first [1 2]) (first nil) (first \"abc\") (first \"\") (first %{:a 1}) (first #{7})]",
        "[1 nil \\a nil [:a 1] 7]"},
       {"[(rest '(1 2)) (rest [1 2 3]) (rest {1}) (rest nil) (rest \"abc\") (rest %{:a 1 :b 2})]",
        "[(2) (2 3) () () (\\b \\c) ([:b 2])]"},
       {"[(empty? ()) (empty? \"\") (empty? #{}) (empty? [nil])]", "[true true true false]"},
       {"[(seq [1 2]) (seq nil) (->tuple '(1 2)) (vec \"ab\") (->map '([:a 1] (:b 2))) (set [1 1 "
        "2])]",
        "[(1 2) () [1 2] {\\a \\b} %{:a 1 :b 2} #{1 2}]"},
       {"[(into () [1 2]) (into [1] '(2)) (into {1} [2 3]) (into %{} [[1 2]]) (into #{1} [2]) "
        "(into nil [1])]",
        "[(2 1) [1 2] {1 2 3} %{1 2} #{1 2} (1)]"},
       {"[(concat) (concat [1] nil '(2 3)) (concat \"a\" {1}) (reverse [1 2 3]) (reverse ())]",
        "[() (1 2 3) (\\a 1) (3 2 1) ()]"},
       {"[(last [1 2]) (last '(1 2 3)) (last nil) (take 2 {1 2 3}) (take 9 [1]) (drop 1 [1 2]) "
        "(drop 9 nil)]",
        "[2 3 nil (1 2) (1) (2) ()]"},
       {"(frequencies \"abca\")", "%{\\a 2 \\b 1 \\c 1}"},
       {"(sort-values [3 1 nil \"b\" :a 2 [1]])", "(nil 1 2 3 \"b\" :a [1])"},
       {"(count (into %{} (->list (->tuple (into {} (keys (frequencies [1 2])))))))",
        "ERROR [:error :type-error %{:fn into :expected :entry :got 1}]"}});
  expect_errors({{"(first 1)", "type-error"},
                 {"(rest :a)", "type-error"},
                 {"(concat [1] 2)", "type-error"},
                 {"(->map [1])", "type-error"},
                 {"(take :a [1])", "type-error"},
                 {"(into 1 [])", "type-error"}});
}

TEST_P(Natives, VectorsArePutTogetherAndCut) {
  expect({{"[(vector-slice {1 2 3} 1) (vector-slice {1 2 3} 0 2) (vector-slice {1 2 3} 3)]",
           "[{2 3} {1 2} {}]"},
          {"[(vector-concat) (vector-concat {1} {} {2 3}) (into {1} {2})]", "[{} {1 2 3} {1 2}]"},
          {"(match (vec \"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ\") v "
           "(match (vector-concat (vector-slice v 12) v) w "
           "[(count w) (nth w 39) (nth w 40) (get (put w 60 :x) 60) (nth w 91)]))",
           "[92 \\Z \\a :x \\Z]"}});
}

TEST_P(Natives, Text) {
  expect(
      {{"[(str) (str \"a\" 1 nil :b \\c [\"x\"])]", "[\"\" \"a1:bc[\\\"x\\\"]\"]"},
       {"(pr-str \"a\" \\b 'c)", "\"\\\"a\\\" \\\\b c\""},
       {"[(subs \"hello\" 1) (subs \"hello\" 1 4) (subs \"häß\" 1 2) (subs \"a\" 1)]",
        "[\"ello\" \"ell\" \"ä\" \"\"]"},
       {"[(join [1 \"b\" nil]) (join \", \" '(1 2)) (join \\- \"abc\") (join \",\" [])]",
        "[\"1b\" \"1, 2\" \"a-b-c\" \"\"]"},
       {"[(split \"a,b,,\" \",\") (split \"\" \",\") (split \" a  b\\n\") (split \"aXXb\" \"XX\") "
        "(split \"a-b\" \\-)]",
        "[(\"a\" \"b\" \"\" \"\") (\"\") (\"a\" \"b\") (\"a\" \"b\") (\"a\" \"b\")]"},
       {"[(lower-case \"ÄBc\") (upper-case \"äbcß\") (trim \" \\n a b\\t\") (trim \"\")]",
        "[\"äbc\" \"ÄBCSS\" \"a b\" \"\"]"},
       {"[(index-of \"häuser\" \"u\") (index-of \"aa\" \\a 1) (index-of \"a\" \"b\") (index-of "
        "\"ab\" \"\" 9)]",
        "[2 1 nil nil]"},
       {"[(starts-with? \"abc\" \"ab\") (ends-with? \"abc\" \"bc\") (includes? \"abc\" \\b) "
        "(includes? \"\" \"x\")]",
        "[true true true false]"},
       {"[(replace \"a.b.c\" \".\" \"--\") (replace \"aaa\" \"aa\" \"b\") (replace \"x\" \\y \\z)]",
        "[\"a--b--c\" \"ba\" \"x\"]"},
       {"(ascii-words \"The  end's ÄtTHE 42x\")", "(\"the\" \"end\" \"s\" \"tthe\" \"x\")"},
       {"[(code \\A) (char 97) (char 10) (char 0x1D11E)]", "[65 \\a \\newline \\𝄞]"},
       {"[(parse-integer \"-42\") (parse-integer \"ff\" 16) (parse-integer \"4x\") (parse-integer "
        "\"\")]",
        "[-42 255 nil nil]"},
       {"[(symbol \"a\") (symbol \"n\" \"a\") (keyword \"n\" \"a\") (name :n/a) (namespace 'n/a) "
        "(namespace :a)]",
        "[a n/a :n/a \"a\" \"n\" nil]"},
       {"[(= (gensym) (gensym)) (symbol? (gensym \"x\"))]", "[false true]"},
       {"[(read-string \"(+ 1 2) ignored\") (read-string \":k\")]", "[(+ 1 2) :k]"}});
  expect_errors({{"(subs \"a\" 2)", "out-of-bounds"},
                 {"(subs \"abc\" 2 1)", "out-of-bounds"},
                 {"(char 0xD800)", "badarg"},
                 {"(char -1)", "badarg"},
                 {"(split \"a\" \"\")", "badarg"},
                 {"(symbol \"\")", "badarg"},
                 {"(read-string \"(\")", "unexpected-eof"},
                 {"(name 1)", "type-error"},
                 {"(read-string \")\")", "unmatched-delimiter"},
                 {"(read-string \"\")", "unexpected-eof"},
                 {"(lower-case 1)", "type-error"}});
}

// All natives of the list, with whatever arguments: a value or an exit reason, never a crash.
TEST_P(Natives, RefuseWrongArgumentsCleanly) {
  static const char* const kValues[] = {"nil",
                                        "true",
                                        "0",
                                        "1",
                                        "-1",
                                        "7",
                                        "1152921504606846975",
                                        "-1152921504606846976",
                                        "\\a",
                                        "\"\"",
                                        "\"häuser\"",
                                        "\"1\"",
                                        "'a",
                                        "'n/a",
                                        ":k",
                                        "()",
                                        "'(1 2)",
                                        "'([1 2] [3 4])",
                                        "[]",
                                        "[1 2 3]",
                                        "{}",
                                        "{1 2}",
                                        "%{}",
                                        "%{:k 1}",
                                        "#{}",
                                        "#{1 :k}",
                                        "first",
                                        "#'first",
                                        "(make-ref)",
                                        "(with-meta [1] %{:a 1})",
                                        "(with-meta 'a %{:a 1})",
                                        "(find-ns 'lona.core)"};
  struct Listed {
    const char* name;
    unsigned min, max;
  };
  static const Listed kAll[] = {
#define LONA_NATIVE(name, min, max, function, arglists, doc) {name, min, max},
#include "vm/native/natives_data.def"
#undef LONA_NATIVE
  };
  std::mt19937 random(5);
  auto value = [&] { return std::string(kValues[random() % std::size(kValues)]); };
  for (const Listed& native : kAll) {
    int tries = GetParam() ? 12 : 60;
    for (int i = 0; i < tries; i++) {
      unsigned most = std::min(native.max, native.min + 3);
      unsigned count = native.min + random() % (most - native.min + 1);
      std::string call = "(" + std::string(native.name);
      for (unsigned k = 0; k < count; k++) call += " " + value();
      std::string got = vm.run(call + ")");
      ASSERT_TRUE(!got.starts_with("ERROR ") || got.starts_with("ERROR [:error :")) << call << got;
      ASSERT_NE(got, "nothing") << call;
    }
  }
}

TEST_P(Natives, LargeCollectionsAreBuiltAndSearched) {
  expect({{"(def text (join \" \" (take 5000 (concat (->list (str (->tuple (frequencies (str "
           "*ns*))))) "
           "(->list (join (take 300 (->list (pr-str (ns-map (find-ns 'lona.core)))))))))))"
           "(= (count text) (count (str text)))",
           "true"},
          {"(def to (fn* to [n acc] (match n 0 acc _ (to (- n 1) (prepend acc n)))))"
           "(def xs (to 3000 ())) [(count (->set xs)) (count (into {} xs)) (last (->tuple xs)) "
           "(= (sort-values (reverse xs)) xs) (count (frequencies (concat xs xs)))]",
           "[3000 3000 3000 true 3000]"}});
}

}  // namespace
}  // namespace lona::vm
