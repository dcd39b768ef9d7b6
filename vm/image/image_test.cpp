// SPDX-License-Identifier: BSD-2-Clause
#include "vm/image/image.hpp"

#include <gtest/gtest.h>

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
