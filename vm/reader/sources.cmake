# SPDX-License-Identifier: BSD-2-Clause
target_sources(lona_vm PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/atoms.cpp
  ${CMAKE_CURRENT_LIST_DIR}/bits.cpp
  ${CMAKE_CURRENT_LIST_DIR}/reader.cpp
  ${CMAKE_CURRENT_LIST_DIR}/template.cpp)
lona_vm_test(vm_reader_test ${CMAKE_CURRENT_LIST_DIR}/reader_test.cpp)
lona_vm_fuzzer(reader_fuzz ${CMAKE_CURRENT_LIST_DIR}/reader_fuzz.cpp 20 "${CMAKE_SOURCE_DIR}/lib/lona")
