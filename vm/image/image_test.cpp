// SPDX-License-Identifier: BSD-2-Clause
#include "vm/image/image.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <random>
#include <utility>

#include "abi/lona/address_map.hpp"
#include "vm/bytecode/opcodes.hpp"
#include "vm/image/inspect.hpp"
#include "vm/image/writer.hpp"
#include "vm/sched/test_vm.hpp"

namespace lona::vm {
namespace {

constexpr std::uint64_t kLibrary = 4711;

class CoreImage : public testing::Test {
 protected:
  static image::Image write(std::string_view source) {
    TestVm vm;
    vm.run(source);
    return image::write(vm.vm(), kLibrary);
  }
  static const image::Header* check(image::Image& image, std::uint64_t library = kLibrary) {
    return image::check({image.constants, image.data}, library);
  }
};

constexpr std::string_view kSource =
    "(def table %{:a {1 2 \"x\"} 'b #{[1]}})"
    "(def adder (fn* [n] (fn* [x] (+ x n table))))"
    "(def long (fn* f [n] (match n 0 'end x (f (- x 1)))))";

TEST_F(CoreImage, IsAcceptedByTheVmThatWroteIt) {
  image::Image image = write(kSource);
  ASSERT_EQ(image.problem, "");
  EXPECT_NE(check(image), nullptr);
}

TEST_F(CoreImage, IsTheSameForTheSameSource) {
  image::Image a = write(kSource), b = write(kSource);
  EXPECT_EQ(a.constants, b.constants);
  EXPECT_EQ(a.data, b.data);
  EXPECT_NE(a.constants, write("(def other 1)").constants);
}

TEST_F(CoreImage, RefusesAnotherLibraryAnotherVmAndDamage) {
  image::Image image = write(kSource);
  EXPECT_EQ(check(image, kLibrary + 1), nullptr);
  // Each single word counts; every seventh is tried.
  for (std::size_t i = 0; i < image.constants.size(); i += 7) {
    image.constants[i] ^= 0x100;
    EXPECT_EQ(check(image), nullptr) << "constant word " << i;
    image.constants[i] ^= 0x100;
  }
  for (std::size_t i = 0; i < image.data.size(); i += 7) {
    image.data[i] ^= 1;
    EXPECT_EQ(check(image), nullptr) << "data word " << i;
    image.data[i] ^= 1;
  }
  image.data.pop_back();
  EXPECT_EQ(check(image), nullptr);
  image.constants.resize(3);
  EXPECT_EQ(check(image), nullptr);
}

TEST_F(CoreImage, IsSafeAsItIsWritten) {
  const image::Image image = write(kSource);
  EXPECT_EQ(image::inspect(image.constants, image.data), nullptr);
}

// A hostile image has a right checksum.
class Inspect : public CoreImage {
 protected:
  image::Image image = write(kSource);
  std::string problem() const {
    const char* why = image::inspect(image.constants, image.data);
    return why == nullptr ? "none" : why;
  }
  // With one word being another one.
  std::string with(Word& word, Word other) {
    const Word before = std::exchange(word, other);
    std::string why = problem();
    word = before;
    return why;
  }
  // The first word that fits.
  template <typename F>
  static Word& find(std::vector<Word>& words, F fits) {
    for (Word& word : words) {
      if (fits(word)) return word;
    }
    ADD_FAILURE() << "no such word in the image";
    return words[0];
  }
};

TEST_F(Inspect, refuses_pointers_out_of_the_image_and_into_other_objects) {
  constexpr auto kConstants = abi::kCoreConstants.start;
  const auto is_box = [&](Word w) {
    return Term::from_bits(w).is_boxed() &&
           (w & ~Term::kTagMask) - kConstants < image.constants.size() * sizeof(Word);
  };
  Word& value = find(image.data, is_box);
  EXPECT_EQ(problem(), "none");
  for (Word other : {Word{2}, value + 8, value - 8, value + (Word{1} << 40), kConstants | 2,
                     kConstants | 1, abi::kCoreData.start | 2, Word{0x7fff00000002},
                     kConstants + image.constants.size() * sizeof(Word) + 2,
                     kConstants + image.constants.size() * sizeof(Word) - 8 + 2}) {
    EXPECT_NE(with(value, other), "none") << std::hex << other;
  }
}

TEST_F(Inspect, refuses_values_that_programs_cannot_have) {
  image = write("(def odd {424242})");
  const Word number = Term::integer(424242).bits();
  Word& one = find(image.constants, [&](Word w) { return w == number; });
  EXPECT_EQ(with(one, Term::integer(77).bits()), "none");
  for (Term t : {Term::absent(), Term::raise(), Term::pid(3, 4), Term::native(100'000),
                 Term::from_bits(0xff7)}) {
    EXPECT_NE(with(one, t.bits()), "none");
  }
}

TEST_F(Inspect, refuses_collections_of_another_shape) {
  for (Kind kind : {Kind::kMap, Kind::kVector, Kind::kSet, Kind::kString, Kind::kClosure}) {
    const auto is_header = [&](Word w) {
      const Header h = Header::from_bits(w);
      return h.is_header() && h.kind() == kind && h.words() > 0 && h.words() < 100;
    };
    Word& header = find(image.constants, is_header);
    EXPECT_NE(with(header, header + 0x100), "none") << unsigned(kind);
    EXPECT_NE(with(header, Header::make(Kind::kSlice, 2).bits()), "none");
    if (kind == Kind::kSet) continue;
    Word& first = *(&header + 1);
    EXPECT_NE(with(first, first + 1), "none") << unsigned(kind);
    EXPECT_NE(with(first, ~Word{0}), "none");
  }
}

TEST_F(Inspect, refuses_names_of_another_number) {
  const Word id = make_keyword("a").bits() & ~Term::kTagMask;
  for (Word& word : image.constants) {
    if (word == id) EXPECT_NE(with(word, id + 8), "none");
  }
}

TEST_F(Inspect, refuses_code_that_the_verifier_refuses) {
  const auto is_return = [](Word w) {
    const auto i = std::bit_cast<Instruction>(w);
    return i.op == op_code(Op::kReturn) && i.a < 8 && i.b == 0 && i.c == 0;
  };
  Word& code = find(image.constants, is_return);
  EXPECT_NE(with(code, code + (Word{77} << 16)), "none");
  EXPECT_NE(with(code, Word{op_code(Op::kMove)}), "none");
}

// One word in five is another one once; whatever comes of it is an answer.
TEST_F(Inspect, survives_any_change) {
  std::mt19937_64 random(5);
  std::size_t refused = 0, tried = 0;
  const auto change = [&](std::vector<Word>& words) {
    for (std::size_t i = random() % 5; i < words.size(); i += 5) {
      Word& word = words[i];
      const Word to = random() % 2 == 0 ? word ^ Word { 1 } << (random() % 44) : random();
      refused += with(word, to) != "none" ? 1 : 0;
      tried++;
    }
  };
  change(image.constants);
  change(image.data);
  EXPECT_GT(refused, tried / 2);  // the others are numbers, texts and lines
}

TEST_F(CoreImage, LeavesOutWhatNothingReaches) {
  const std::size_t once = write("(def x '(1 2 3))").constants.size();
  const std::size_t often =
      write("(def x '(9 9 9 9 9)) (def x '(8 8)) (def x '(1 2 3))").constants.size();
  EXPECT_EQ(once, often);
}

TEST_F(CoreImage, HoldsNoProcess) {
  EXPECT_NE(write("(def me (self))").problem, "");
}

}  // namespace
}  // namespace lona::vm
