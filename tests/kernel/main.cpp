// SPDX-License-Identifier: BSD-2-Clause
#include "tests/kernel/harness.hpp"
#include "tests/kernel/tests.hpp"

namespace lona::test {

namespace {

bool failed = false;

constexpr Test kTests[] = {
#define TEST(name) {#name, name},
#define TEST_WITH(option, name) {#name, name, abi::MethodOption::option},
#include "tests/kernel/tests.def"
};

}  // namespace

void check(bool condition, const char* text, const char* file, int line) {
  if (condition) return;
  failed = true;
  print("\r\n");
  print_failure(text, file, line);
}

}  // namespace lona::test

void root_main(const lona::abi::BootInfo* boot_info) {
  using namespace lona::test;
  info = boot_info;
  unsigned passes = 0, failures = 0;
  for (const Test& test : kTests) {
    if (!lona::abi::has_option(lona::abi::kConfiguration, test.option)) continue;
    failed = false;
    test.run();
    ++(failed ? failures : passes);
    print(failed ? "\r\nFAIL " : "\r\nok   ");
    print(test.name);
  }
  // Before the end is told: from then on nothing is done any more.
  const lona::abi::CPtr never = make(ObjectType::kNotification);
  print("\r\n");
  print_number(passes);
  print(" passed, ");
  print_number(failures);
  print(" failed\r\n");
  for (;;) (void)lona::abi::wait(never);
}
