// SPDX-License-Identifier: BSD-2-Clause
// Tests that are tables of expressions and what they give, plain and with a collection at every
// safe point. A test suite is an alias of this class, instantiated with testing::Bool().
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

#include "vm/sched/test_vm.hpp"

namespace lona::vm {

class ExpressionTest : public testing::TestWithParam<bool> {
 protected:
  struct Case {
    const char *source, *result;
  };
  void expect(std::initializer_list<Case> cases) {
    for (const Case& c : cases) EXPECT_EQ(vm.run(c.source), c.result) << c.source;
  }
  // The type of the error each source ends with.
  void expect_errors(std::initializer_list<Case> cases) {
    for (const Case& c : cases) {
      std::string start = std::string("ERROR [:error :") + c.result;
      std::string got = vm.run(c.source);
      EXPECT_TRUE(got.starts_with(start) && (got[start.size()] == ' ' || got[start.size()] == ']'))
          << c.source << " gives " << got;
    }
  }
  TestVm vm{VmOptions{.collect_always = GetParam()}};
};

}  // namespace lona::vm
