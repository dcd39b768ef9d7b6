// SPDX-License-Identifier: BSD-2-Clause
#include "vm/printer/pretty.hpp"

#include <gtest/gtest.h>

#include <string>

#include "vm/heap/arena.hpp"
#include "vm/reader/reader.hpp"

namespace lona::vm {
namespace {

class StringSink final : public Sink {
 public:
  StringSink() : Sink(&StringSink::put) {}
  std::string text;

 private:
  static bool put(Sink& self, std::string_view text) {
    static_cast<StringSink&>(self).text += text;
    return true;
  }
};

class PrettyTest : public testing::Test {
 protected:
  std::string pretty(std::string_view text, const Layout& layout) {
    Reader reader(arena, text, {.file = "t.lona"});
    StringSink sink;
    EXPECT_TRUE(print_pretty(sink, reader.next().form, layout));
    return sink.text;
  }
  std::string colored(std::string_view text) {
    StringSink below;
    ColorSink sink(below);
    EXPECT_TRUE(sink.write(text) && sink.write("\n"));
    std::string shown;  // with the escapes as one letter in brackets
    for (std::size_t i = 0; i < below.text.size(); ++i) {
      if (below.text[i] != '\x1b') {
        shown += below.text[i];
        continue;
      }
      const std::size_t end = below.text.find('m', i);
      shown += "<" + below.text.substr(i + 2, end - i - 2) + ">";
      i = end;
    }
    return shown;
  }
  Arena arena;
};

TEST_F(PrettyTest, what_fits_stays_on_one_line) {
  EXPECT_EQ(pretty("[1 {2 3} %{:a (4)}]", {.columns = 30}), "[1 {2 3} %{:a (4)}]");
}

TEST_F(PrettyTest, short_elements_share_lines) {
  EXPECT_EQ(pretty("(100 200 300 400 500)", {.columns = 13}), "(100 200 300\n 400 500)");
}

TEST_F(PrettyTest, each_entry_of_a_long_map_has_its_line) {
  EXPECT_EQ(pretty("%{:name \"lona\" :list (1 2 3 4 5)}", {.columns = 16}),
            "%{:name \"lona\"\n  :list (1 2 3\n         4 5)}");
}

TEST_F(PrettyTest, code_is_indented_by_two) {
  EXPECT_EQ(pretty("(defn f (a b) (something a) (other b))", {.columns = 20}),
            "(defn f\n  (a b)\n  (something a)\n  (other b))");
}

TEST_F(PrettyTest, much_is_left_out) {
  EXPECT_EQ(pretty("(1 2 3 4 5)", {.columns = 5, .most_elements = 3}), "(1 2\n 3 …)");
  EXPECT_EQ(pretty("[[[[1 2]]]]", {.columns = 5, .most_depth = 2}), "[[…]]");
  EXPECT_EQ(pretty("\"abcdef\"", {.most_characters = 3}), "\"abc\"…");
}

TEST_F(PrettyTest, lines_are_never_too_wide) {
  const std::string text =
      pretty("[[1 2 3] {4 5 6} #{7 8} %{:a [1 2 3] :b [4 5 6]} (x (y z))]", {.columns = 14});
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    EXPECT_LE(end - at, 14u) << text;
    at = end + 1;
  }
}

TEST_F(PrettyTest, colors_follow_the_look) {
  EXPECT_EQ(colored("[:a 12 \"b\\\"c\" x]"), "[<36>:a<0> <33>12<0> <32>\"b\\\"c\"<0> x]\n");
  EXPECT_EQ(colored("#{1} #<pid 3.1> #'a/b"), "#{<33>1<0>} #<35><pid 3.1><0> #'a/b\n");
}

}  // namespace
}  // namespace lona::vm
