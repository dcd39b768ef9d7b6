# SPDX-License-Identifier: BSD-2-Clause
target_sources(lona_vm PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/pretty.cpp
  ${CMAKE_CURRENT_LIST_DIR}/printer.cpp)
lona_vm_test(pretty_test ${CMAKE_CURRENT_LIST_DIR}/pretty_test.cpp)
