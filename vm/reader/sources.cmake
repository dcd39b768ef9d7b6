# SPDX-License-Identifier: BSD-2-Clause
target_sources(lona_vm PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/atoms.cpp
  ${CMAKE_CURRENT_LIST_DIR}/bits.cpp
  ${CMAKE_CURRENT_LIST_DIR}/reader.cpp
  ${CMAKE_CURRENT_LIST_DIR}/template.cpp)
lona_vm_test(vm_reader_test ${CMAKE_CURRENT_LIST_DIR}/reader_test.cpp)

# The fuzzer needs the library instrumented; ctest runs it for a short while (label `fuzz`). To go
# on for longer: build/asan/vm/reader_fuzz DIR, where DIR keeps what it learns.
if(LONA_SANITIZE AND TARGET lona_vm_linux)
  target_compile_options(lona_vm PRIVATE -fsanitize=fuzzer-no-link)
  add_executable(reader_fuzz ${CMAKE_CURRENT_LIST_DIR}/reader_fuzz.cpp)
  target_link_libraries(reader_fuzz PRIVATE lona_vm lona_vm_linux)
  target_link_options(reader_fuzz PRIVATE -fsanitize=fuzzer)
  # What it finds goes to the first folder; the library is there to start from.
  file(MAKE_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/reader_corpus")
  add_test(NAME reader_fuzz COMMAND reader_fuzz -seed=1 -max_total_time=20 -max_len=4096
           -timeout=10 "${CMAKE_CURRENT_BINARY_DIR}/reader_corpus"
           "${CMAKE_SOURCE_DIR}/lib/lona")
  set_tests_properties(reader_fuzz PROPERTIES TIMEOUT 120 LABELS fuzz)
endif()
