// SPDX-License-Identifier: BSD-2-Clause
// The editor is typed at, and what it writes goes to a small terminal whose cells are compared
// with what a person should see.
#include "vm/prompt/line_editor.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace lona::vm {
namespace {

// A VT100 with one column per byte that starts a code point.
class FakeTerminal final : public EditorHost {
 public:
  explicit FakeTerminal(unsigned columns) : columns_(columns) {}

  void write(std::string_view bytes) override {
    written += bytes.size();
    for (char c : bytes) put(c);
  }
  unsigned columns() override { return columns_; }
  bool complete(std::string_view text) override {
    return std::count(text.begin(), text.end(), '(') <= std::count(text.begin(), text.end(), ')');
  }

  void find_names(Candidates& candidates) override {
    for (const char* name : {"reduce", "reverse", "rest", "map", "größe", "größer"}) {
      candidates.add("", name);
    }
    for (const char* name : {"send", "self"}) candidates.add("lona.process/", name);
  }

  std::string row(std::size_t i) const {
    std::string text;
    if (i < rows_.size()) {
      for (const std::string& cell : rows_[i]) text += cell;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  }
  std::size_t rows() const {
    std::size_t n = rows_.size();
    while (n != 0 && row(n - 1).empty()) --n;
    return n;
  }
  unsigned x = 0, y = 0;
  std::size_t written = 0;
  bool strict = true;  // every code point is one column wide

 private:
  void put(char c) {
    if (!escape_.empty()) {
      escape_ += c;
      if (escape_.size() > 2 && std::isalpha(static_cast<unsigned char>(c))) run();
      return;
    }
    if (c == '\x1b') {
      escape_ = c;
    } else if (c == '\r') {
      x = 0;
      pending_ = false;
    } else if (c == '\n') {
      ++y;
      pending_ = false;
    } else if ((static_cast<unsigned char>(c) & 0xc0) == 0x80) {
      cell(x - 1) += c;
    } else {
      ASSERT_FALSE(pending_ && strict) << "wrote beyond the last column";
      cell(x) = c;
      ++x;
      pending_ = x == columns_;
    }
  }
  std::string& cell(unsigned column) {
    if (rows_.size() <= y) rows_.resize(y + 1);
    if (rows_[y].size() <= column) rows_[y].resize(column + 1, " ");
    return rows_[y][column];
  }
  void run() {
    const int n = std::max(1, std::atoi(escape_.c_str() + 2));
    const char final = escape_.back();
    escape_.clear();
    if (final == 'A') y -= static_cast<unsigned>(n);
    if (final == 'B') y += static_cast<unsigned>(n);
    if (final == 'C') x += static_cast<unsigned>(n);
    if (final == 'H') x = y = 0;
    if (final == 'J') {
      if (rows_.size() > y) {
        rows_.resize(y + 1);
        if (rows_[y].size() > x) rows_[y].resize(x);
      }
    }
    pending_ = false;
  }

  unsigned columns_;
  std::vector<std::vector<std::string>> rows_;
  std::string escape_;
  bool pending_ = false;
};

class LineEditorTest : public ::testing::Test {
 protected:
  explicit LineEditorTest(unsigned columns = 20) : terminal(columns), editor(terminal) {
    editor.start("> ", LineEditor::Remember::kYes);
  }
  LineEditor::Event type(std::string_view bytes) {
    auto event = LineEditor::Event::kNone;
    for (char c : bytes) event = editor.feed(static_cast<std::uint8_t>(c));
    return event;
  }
  void submit(std::string_view bytes) {
    ASSERT_EQ(type(std::string(bytes) + "\r"), LineEditor::Event::kSubmitted);
    submitted = editor.text();
    editor.start("> ", LineEditor::Remember::kYes);
  }
  FakeTerminal terminal;
  LineEditor editor;
  std::string submitted;
};

constexpr const char* kLeft = "\x1b[D";
constexpr const char* kUp = "\x1b[A";
constexpr const char* kDown = "\x1b[B";

TEST_F(LineEditorTest, ShowsWhatIsTyped) {
  type("(+ 1 2)");
  EXPECT_EQ(terminal.row(0), "> (+ 1 2)");
  EXPECT_EQ(terminal.x, 9u);
}

TEST_F(LineEditorTest, InsertsInTheMiddle) {
  type("ac");
  type(kLeft);
  type("b");
  EXPECT_EQ(editor.text(), "abc");
  EXPECT_EQ(terminal.row(0), "> abc");
  EXPECT_EQ(terminal.x, 4u);
}

TEST_F(LineEditorTest, ErasesWholeCodePoints) {
  type("a\xc3\xa9\xe2\x82\xac\x7f");
  EXPECT_EQ(editor.text(), "a\xc3\xa9");
  type("\x7f");
  EXPECT_EQ(editor.text(), "a");
}

TEST_F(LineEditorTest, DropsBytesThatAreNotUtf8) {
  type("a\xff\xc3(\xed\xa0\x80z)");
  EXPECT_EQ(editor.text(), "a(z)");
}

TEST_F(LineEditorTest, CutsAndPastes) {
  type("one two three");
  type("\x17");  // Ctrl-W
  EXPECT_EQ(editor.text(), "one two ");
  type("\x01\x19");  // Ctrl-A Ctrl-Y
  EXPECT_EQ(editor.text(), "threeone two ");
  type("\x0b");  // Ctrl-K
  EXPECT_EQ(editor.text(), "three");
  type("\x15");  // Ctrl-U
  EXPECT_EQ(editor.text(), "");
}

TEST_F(LineEditorTest, MovesByWords) {
  type(
      "(first-one two)\x1b"
      "b\x1b"
      "b");
  type("X");
  EXPECT_EQ(editor.text(), "(Xfirst-one two)");
  type("\x1b[1;5CY");
  EXPECT_EQ(editor.text(), "(Xfirst-oneY two)");
}

TEST_F(LineEditorTest, HomeEndDeleteTranspose) {
  type("abcd\x1b[H\x1b[3~\x1b[F\x14");
  EXPECT_EQ(editor.text(), "bdc");
}

TEST_F(LineEditorTest, WrapsLongTextAndKeepsTheCursorRight) {
  type("abcdefghijklmnopqrstuvwxyz");
  EXPECT_EQ(terminal.row(0), "> abcdefghijklmnopqr");
  EXPECT_EQ(terminal.row(1), "stuvwxyz");
  EXPECT_EQ(terminal.x, 8u);
  type("\x01*");
  EXPECT_EQ(terminal.row(0), "> *abcdefghijklmnopq");
  EXPECT_EQ(terminal.row(1), "rstuvwxyz");
  EXPECT_EQ(terminal.x, 3u);
  EXPECT_EQ(terminal.y, 0u);
}

TEST_F(LineEditorTest, ATextThatFillsTheRowExactly) {
  type("abcdefghijklmnopqr");
  EXPECT_EQ(terminal.row(0), "> abcdefghijklmnopqr");
  type("s");
  EXPECT_EQ(terminal.row(1), "s");
  type("\x7f\x7f");
  EXPECT_EQ(terminal.row(0), "> abcdefghijklmnopq");
  EXPECT_EQ(terminal.rows(), 1u);
}

TEST_F(LineEditorTest, EnterContinuesAnIncompleteText) {
  EXPECT_EQ(type("(foo\r"), LineEditor::Event::kNone);
  EXPECT_EQ(type("bar)\r"), LineEditor::Event::kSubmitted);
  EXPECT_EQ(editor.text(), "(foo\nbar)");
  EXPECT_EQ(terminal.row(0), "> (foo");
  EXPECT_EQ(terminal.row(1), "  bar)");
  EXPECT_EQ(terminal.y, 2u);
}

TEST_F(LineEditorTest, UpAndDownMoveInTheTextFirst) {
  type("(ab\rcd");
  type(kUp);
  type("X");
  EXPECT_EQ(editor.text(), "(aXb\ncd");
  type(kDown);
  type("Y");
  EXPECT_EQ(editor.text(), "(aXb\ncdY");
}

TEST_F(LineEditorTest, RecallsHistoryAndReturnsToTheDraft) {
  submit("first");
  submit("second");
  submit("second");
  type("dra");
  type(kUp);
  EXPECT_EQ(editor.text(), "second");
  type(kUp);
  EXPECT_EQ(editor.text(), "first");
  type(kUp);
  EXPECT_EQ(editor.text(), "first");
  type(kDown);
  type(kDown);
  EXPECT_EQ(editor.text(), "dra");
}

TEST_F(LineEditorTest, SearchesHistory) {
  submit("(def alpha 1)");
  submit("(def beta 2)");
  submit("(print alpha)");
  type(
      "\x12"
      "alp");
  EXPECT_EQ(editor.text(), "(print alpha)");
  type("\x12");
  EXPECT_EQ(editor.text(), "(def alpha 1)");
  EXPECT_EQ(type("\r"), LineEditor::Event::kSubmitted);
  EXPECT_EQ(editor.text(), "(def alpha 1)");
}

TEST_F(LineEditorTest, EndOfInputOnlyWhenEmpty) {
  EXPECT_EQ(type("ab\x01\x04"), LineEditor::Event::kNone);
  EXPECT_EQ(editor.text(), "b");
  EXPECT_EQ(type("\x04"), LineEditor::Event::kNone);
  EXPECT_EQ(type("\x04"), LineEditor::Event::kEndOfInput);
}

TEST_F(LineEditorTest, ControlCDropsTheText) {
  EXPECT_EQ(type("abc\x03"), LineEditor::Event::kInterrupted);
  EXPECT_EQ(editor.text(), "");
}

TEST_F(LineEditorTest, TypingCostsFewBytesOnTheWire) {
  const std::size_t before = terminal.written;
  type("abcdefgh");
  EXPECT_EQ(terminal.written - before, 8u);
}

TEST_F(LineEditorTest, AnyBytesAreSurvived) {
  terminal.strict = false;
  std::uint32_t state = 12345;
  for (int i = 0; i < 20'000; ++i) {
    state = state * 1664525 + 1013904223;
    auto byte = static_cast<std::uint8_t>(state >> 24);
    if (i % 3 == 0) byte = static_cast<std::uint8_t>("()ab \x1b[ACD\r"[byte % 11]);
    const auto event = editor.feed(byte);
    if (event != LineEditor::Event::kNone) editor.start("> ", LineEditor::Remember::kYes);
    if (terminal.y > 200) terminal.y = 100;
  }
  EXPECT_GT(terminal.written, 0u);
}

TEST_F(LineEditorTest, TabCompletesWhatIsCertain) {
  type("(m\t 1)");
  EXPECT_EQ(editor.text(), "(map 1)");
}

TEST_F(LineEditorTest, TabGoesAsFarAsNamesAgreeAndThenShowsThem) {
  type("(re\t");
  EXPECT_EQ(editor.text(), "(re");
  EXPECT_EQ(terminal.row(1), "reduce   reverse");
  EXPECT_EQ(terminal.row(2), "rest");
  EXPECT_EQ(terminal.row(3), "> (re");
  type("v\t");
  EXPECT_EQ(editor.text(), "(reverse");
}

TEST_F(LineEditorTest, TabKnowsNamespacesAndCharacters) {
  type("lona.process/se\t");
  EXPECT_EQ(editor.text(), "lona.process/se");
  type("l\t gr\t");
  EXPECT_EQ(editor.text(), "lona.process/self größe");
}

TEST_F(LineEditorTest, TabWithoutWordIndents) {
  type("\t1");
  EXPECT_EQ(editor.text(), "  1");
}

TEST(History, ForgetsTheOldestWhenFull) {
  History history;
  const std::string large(History::kMaxBytes / 3, 'x');
  for (char c : std::string("abcd")) history.add(c + large);
  EXPECT_EQ(history.count(), 2u);
  EXPECT_EQ(history.entry(0).front(), 'd');
  EXPECT_EQ(history.entry(1).front(), 'c');
}

TEST(DisplayWidth, KnowsWideAndCombining) {
  EXPECT_EQ(display_width('a'), 1u);
  EXPECT_EQ(display_width(0x301), 0u);
  EXPECT_EQ(display_width(0x6f22), 2u);
}

}  // namespace
}  // namespace lona::vm
