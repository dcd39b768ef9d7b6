// SPDX-License-Identifier: BSD-2-Clause
#include "tests/kernel/harness.hpp"
#include "tests/kernel/tests.hpp"

extern "C" {
alignas(16) char root_stack[16384];
[[noreturn]] void root_main(const lona::abi::BootInfo* boot_info);
}

asm(R"(
.section .text.start, "ax"
.globl _start
_start:
    leaq root_stack + 16384(%rip), %rsp
    xorl %ebp, %ebp
    call root_main
    ud2
.text
)");

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
  print("\r\nfailed: ");
  print(text);
  print(" at ");
  print(file);
  print(":");
  print_number(static_cast<Word>(line));
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
  print("\r\n");
  print_number(passes);
  print(" passed, ");
  print_number(failures);
  print(" failed\r\n");
  for (;;) (void)lona::abi::wait(make(ObjectType::kNotification));
}
