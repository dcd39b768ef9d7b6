// SPDX-License-Identifier: BSD-2-Clause
// What the foreign libraries refer to in a C library, in a realm, which has none. The memory
// functions are never called: multiprecision.cpp gives GMP others. The rest reports errors of the
// libraries themselves, so that it ends the VM.
#include <cstddef>

#include "vm/platform/platform.hpp"

using lona::vm::platform::panic;

extern "C" {

void* stderr = nullptr;

void* malloc(std::size_t) {
  panic("malloc");
}
void* realloc(void*, std::size_t) {
  panic("realloc");
}
void free(void*) {
  panic("free");
}
int raise(int) {
  panic("a foreign library has raised a signal");
}
int __fprintf_chk(void*, int, const char* format, ...) {
  panic(format);
}
[[noreturn]] void __assert_fail(const char* assertion, const char*, unsigned, const char*) {
  panic(assertion);
}
[[noreturn]] void __stack_chk_fail() {
  panic("a foreign library has overrun its stack frame");
}
// Of a function-local object that is never reached.
int __cxa_guard_acquire(void*) {
  panic("__cxa_guard_acquire");
}
void __cxa_guard_release(void*) {}
}
