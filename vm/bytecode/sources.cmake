# SPDX-License-Identifier: BSD-2-Clause
target_sources(lona_vm PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/disassemble.cpp
  ${CMAKE_CURRENT_LIST_DIR}/opcodes.cpp
  ${CMAKE_CURRENT_LIST_DIR}/verify.cpp
  ${CMAKE_CURRENT_LIST_DIR}/verify_flow.cpp
  ${CMAKE_CURRENT_LIST_DIR}/verify_form.cpp)
lona_vm_test(vm_verify_test ${CMAKE_CURRENT_LIST_DIR}/verify_test.cpp)
