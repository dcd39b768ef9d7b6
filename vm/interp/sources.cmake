# SPDX-License-Identifier: BSD-2-Clause
target_sources(lona_vm PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/bits.cpp
  ${CMAKE_CURRENT_LIST_DIR}/call.cpp
  ${CMAKE_CURRENT_LIST_DIR}/interp.cpp
  ${CMAKE_CURRENT_LIST_DIR}/receive.cpp
  ${CMAKE_CURRENT_LIST_DIR}/slow.cpp
  ${CMAKE_CURRENT_LIST_DIR}/trace_call.cpp)
lona_vm_test(run_test ${CMAKE_CURRENT_LIST_DIR}/run_test.cpp)

lona_vm_fuzzer(run_fuzz ${CMAKE_CURRENT_LIST_DIR}/run_fuzz.cpp 30)
