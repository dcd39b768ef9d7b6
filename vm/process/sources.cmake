# SPDX-License-Identifier: BSD-2-Clause
target_sources(lona_vm PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/lifecycle.cpp
  ${CMAKE_CURRENT_LIST_DIR}/message.cpp
  ${CMAKE_CURRENT_LIST_DIR}/process.cpp
  ${CMAKE_CURRENT_LIST_DIR}/signals.cpp)
lona_vm_test(process_test ${CMAKE_CURRENT_LIST_DIR}/process_test.cpp)
