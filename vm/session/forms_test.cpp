// SPDX-License-Identifier: BSD-2-Clause
#include "vm/session/forms.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lona::vm {
namespace {

// What a session would evaluate, piece by piece, without surrounding blanks.
std::vector<std::string> split(const std::vector<std::string>& lines, bool end = true) {
  FormSource source;
  std::vector<std::string> pieces;
  FormSource::Piece piece;
  const auto drain = [&](bool ended) {
    while (source.next(ended, piece) == FormSource::Next::kForm) {
      std::string text(piece.text);
      text.erase(0, text.find_first_not_of(" \n"));
      text.erase(text.find_last_not_of(" \n") + 1);
      pieces.push_back(text);
    }
  };
  for (const std::string& line : lines) {
    EXPECT_TRUE(source.append(line + "\n"));
    drain(false);
  }
  if (end) drain(true);
  return pieces;
}

using Pieces = std::vector<std::string>;

TEST(FormSource, GivesSeveralFormsOfOneLineOneByOne) {
  EXPECT_EQ(split({"(+ 1 2) :a \"x y\" 'b"}), (Pieces{"(+ 1 2)", ":a", "\"x y\"", "'b"}));
}

TEST(FormSource, WaitsForTheRestOfAForm) {
  EXPECT_EQ(split({"(foo", "  [1 2", " 3])", "4"}), (Pieces{"(foo\n  [1 2\n 3])", "4"}));
  EXPECT_EQ(split({"'", "a"}), (Pieces{"'\na"}));
}

TEST(FormSource, BracketsInStringsCommentsAndCharactersDoNotCount) {
  EXPECT_EQ(split({"[\"(\" \\( ; (((", "1]", "2"}), (Pieces{"[\"(\" \\( ; (((\n1]", "2"}));
  EXPECT_EQ(split({"\"a\\\"(\"", "3"}), (Pieces{"\"a\\\"(\"", "3"}));
}

TEST(FormSource, CommentsAndBlankLinesAreNoForms) {
  EXPECT_EQ(split({"", "; nothing", "1 ; one", "#_ ignored"}), Pieces{"1"});
}

TEST(FormSource, AnUnreadableLineDoesNotTakeTheNextWithIt) {
  const Pieces pieces = split({")", "(+ 1 2)"});
  ASSERT_EQ(pieces.size(), 2u);
  EXPECT_EQ(pieces[0], ")");
  EXPECT_EQ(pieces[1], "(+ 1 2)");
}

TEST(FormSource, ALineThatIsNoUtf8IsGivenOutOnce) {
  EXPECT_EQ(split({"(a \xff b)", "(+ 1 2)"}), (Pieces{"(a \xff b)", "(+ 1 2)"}));
  EXPECT_EQ(split({"\xff", "2"}), (Pieces{"\xff", "2"}));
  EXPECT_EQ(split({"(a", "\xff b)", "2"}), (Pieces{"(a\n\xff b)", "2"}));
}

TEST(FormSource, AMismatchIsAnErrorAtOnce) {
  const Pieces pieces = split({"([1)", "5"}, false);
  ASSERT_EQ(pieces.size(), 2u);
  EXPECT_EQ(pieces[1], "5");
}

TEST(FormSource, AnIncompleteFormIsGivenOutAtTheEnd) {
  EXPECT_EQ(split({"(+ 1"}, false), Pieces{});
  EXPECT_EQ(split({"(+ 1"}), Pieces{"(+ 1"});
}

TEST(FormSource, BytesThatAreNoTextEndWithTheirLine) {
  EXPECT_EQ(split({"\xc1 x\n1\n"}), (Pieces{"\xc1 x", "1"}));
  EXPECT_EQ(split({"(a\n\xc1)\n2\n"}), (Pieces{"(a\n\xc1)", "2"}));
  EXPECT_EQ(split({"\xff"}), Pieces{"\xff"});
}

TEST(FormSource, CountsLines) {
  FormSource source;
  FormSource::Piece piece;
  ASSERT_TRUE(source.append("(a\n"));
  EXPECT_EQ(source.next(false, piece), FormSource::Next::kNeedMore);
  ASSERT_TRUE(source.append("b)\n"));
  ASSERT_EQ(source.next(false, piece), FormSource::Next::kForm);
  EXPECT_EQ(piece.line, 1u);
  ASSERT_EQ(source.next(false, piece), FormSource::Next::kEmpty);
  ASSERT_TRUE(source.append("c\n"));
  ASSERT_EQ(source.next(false, piece), FormSource::Next::kForm);
  EXPECT_EQ(piece.line, 3u);
}

TEST(FormSource, ALongFormTakesLinearTime) {
  FormSource source;
  FormSource::Piece piece;
  ASSERT_TRUE(source.append("[\n"));
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_TRUE(source.append("(1 2)\n"));
    ASSERT_EQ(source.next(false, piece), FormSource::Next::kNeedMore);
  }
  ASSERT_TRUE(source.append("]\n"));
  EXPECT_EQ(source.next(false, piece), FormSource::Next::kForm);
}

TEST(IsComplete, TellsTooShortFromWrong) {
  EXPECT_TRUE(is_complete(""));
  EXPECT_TRUE(is_complete("(+ 1 2)"));
  EXPECT_FALSE(is_complete("(+ 1 2) (foo"));
  EXPECT_FALSE(is_complete("\"abc"));
  EXPECT_FALSE(is_complete("'"));
  EXPECT_TRUE(is_complete("([)"));
  EXPECT_TRUE(is_complete(")"));
}

}  // namespace
}  // namespace lona::vm
