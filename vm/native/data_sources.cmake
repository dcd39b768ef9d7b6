# SPDX-License-Identifier: BSD-2-Clause
# Natives on values; their list is natives_data.def.
target_sources(lona_vm PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/natives_binary.cpp
  ${CMAKE_CURRENT_LIST_DIR}/natives_bits.cpp
  ${CMAKE_CURRENT_LIST_DIR}/natives_collection.cpp
  ${CMAKE_CURRENT_LIST_DIR}/natives_fixed.cpp
  ${CMAKE_CURRENT_LIST_DIR}/kernel_op.cpp
  ${CMAKE_CURRENT_LIST_DIR}/natives_capability.cpp
  ${CMAKE_CURRENT_LIST_DIR}/natives_debug.cpp
  ${CMAKE_CURRENT_LIST_DIR}/natives_io.cpp
  ${CMAKE_CURRENT_LIST_DIR}/natives_ipc.cpp
  ${CMAKE_CURRENT_LIST_DIR}/natives_kernel.cpp
  ${CMAKE_CURRENT_LIST_DIR}/natives_machine.cpp
  ${CMAKE_CURRENT_LIST_DIR}/natives_math.cpp
  ${CMAKE_CURRENT_LIST_DIR}/natives_name.cpp
  ${CMAKE_CURRENT_LIST_DIR}/natives_number.cpp
  ${CMAKE_CURRENT_LIST_DIR}/natives_predicate.cpp
  ${CMAKE_CURRENT_LIST_DIR}/natives_sequence.cpp
  ${CMAKE_CURRENT_LIST_DIR}/natives_text.cpp)
lona_vm_test(vm_natives_data_test ${CMAKE_CURRENT_LIST_DIR}/natives_data_test.cpp)
lona_vm_test(vm_natives_binary_test ${CMAKE_CURRENT_LIST_DIR}/natives_binary_test.cpp)
