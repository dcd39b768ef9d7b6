# SPDX-License-Identifier: BSD-2-Clause
# Unit tests of the kernel's pure parts.
file(GLOB pure_tests CONFIGURE_DEPENDS board/*_test.cpp memory/*_test.cpp boot/*_test.cpp
  arch/x86_64/*_test.cpp)
lona_host_test(kernel_boot_test ${pure_sources} ${pure_tests})
target_include_directories(kernel_boot_test PRIVATE "${CMAKE_CURRENT_BINARY_DIR}/config-debug")

# libFuzzer over what is read before there is anything to fall back on; ctest runs it for a short
# while (label `fuzz`). To go on for longer: build/asan/kernel/kernel_boot_fuzz DIR, where DIR keeps
# what it learns.
if(LONA_SANITIZE)
  add_executable(kernel_boot_fuzz boot/boot_fuzz.cpp ${pure_sources} "${CMAKE_SOURCE_DIR}/base/elf.cpp")
  target_include_directories(kernel_boot_fuzz PRIVATE "${CMAKE_CURRENT_BINARY_DIR}/config-debug")
  target_compile_options(kernel_boot_fuzz PRIVATE -fsanitize=fuzzer)
  target_link_options(kernel_boot_fuzz PRIVATE -fsanitize=fuzzer)
  set(corpus "${CMAKE_CURRENT_BINARY_DIR}/kernel_boot_fuzz_corpus")
  file(MAKE_DIRECTORY "${corpus}")
  add_test(NAME kernel_boot_fuzz COMMAND kernel_boot_fuzz -seed=1 -max_total_time=10 -max_len=4096
           -timeout=10 "${corpus}")
  set_tests_properties(kernel_boot_fuzz PROPERTIES TIMEOUT 120 LABELS fuzz)
endif()

# The core, driven through its system calls over a stand-in for the machine.
file(GLOB core_tests CONFIGURE_DEPENDS
  object/*_test.cpp ipc/*_test.cpp sched/*_test.cpp api/*_test.cpp fault/*_test.cpp
  check/*_test.cpp)
lona_host_test(kernel_core_test ${core_sources} ${core_tests}
  testing/fake_arch.cpp testing/random_calls.cpp testing/world.cpp)
target_include_directories(kernel_core_test PRIVATE "${CMAKE_CURRENT_BINARY_DIR}/config-debug")
