# SPDX-License-Identifier: BSD-2-Clause
# Unit tests of the kernel's pure parts.
file(GLOB pure_tests CONFIGURE_DEPENDS board/*_test.cpp memory/*_test.cpp boot/*_test.cpp
  arch/x86_64/*_test.cpp)
lona_host_test(kernel_boot_test ${pure_sources} ${pure_tests})
target_include_directories(kernel_boot_test PRIVATE "${CMAKE_CURRENT_BINARY_DIR}/config-debug")

# Over what is read before there is anything to fall back on.
if(LONA_SANITIZE)
  lona_fuzzer(kernel_boot_fuzz 10 boot/boot_fuzz.cpp ${pure_sources}
    "${CMAKE_SOURCE_DIR}/base/elf.cpp")
  target_include_directories(kernel_boot_fuzz PRIVATE "${CMAKE_CURRENT_BINARY_DIR}/config-debug")
endif()

# The core, driven through its system calls over a stand-in for the machine.
file(GLOB core_tests CONFIGURE_DEPENDS
  object/*_test.cpp ipc/*_test.cpp sched/*_test.cpp api/*_test.cpp fault/*_test.cpp
  check/*_test.cpp)
lona_host_test(kernel_core_test ${core_sources} ${core_tests}
  testing/fake_arch.cpp testing/random_calls.cpp testing/world.cpp)
target_include_directories(kernel_core_test PRIVATE "${CMAKE_CURRENT_BINARY_DIR}/config-debug")
