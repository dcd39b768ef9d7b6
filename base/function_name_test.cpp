// SPDX-License-Identifier: BSD-2-Clause
#include "base/function_name.hpp"

#include <gtest/gtest.h>

#include <string>

namespace lona::base {
namespace {

std::string text_of(std::string_view symbol) {
  FixedText<100> text;
  text << FunctionName{symbol};
  return std::string(text.text());
}

TEST(FunctionName, IsWhatAPersonHasWritten) {
  EXPECT_EQ(text_of("_ZN4lona2vm13load_var_slowERNS0_7ProcessE"), "lona::vm::load_var_slow");
  EXPECT_EQ(text_of("_ZN4lona2vm12_GLOBAL__N_17op_MoveEPmPKNS0_11InstructionEPNS0_7ProcessElPKv"),
            "lona::vm::op_Move");
  EXPECT_EQ(text_of("_ZNK4lona7manager9RealmTree6withinEjj"), "lona::manager::RealmTree::within");
  EXPECT_EQ(text_of("_Z5startv"), "start");
  EXPECT_EQ(text_of("_ZL5startv"), "start");
  EXPECT_EQ(text_of("_start"), "_start");
}

TEST(FunctionName, IsNotBelievedToBeOne) {
  for (const std::string_view wrong : {"", "_Z", "_ZN", "_ZN4lo", "_ZN99999999999999999999999a",
                                       "_ZN18446744073709551616aE", "_ZSt4movev", "_ZNSt4moveE"}) {
    EXPECT_EQ(text_of(wrong), wrong);
  }
}

}  // namespace
}  // namespace lona::base
