# SPDX-License-Identifier: BSD-2-Clause
target_sources(lona_vm PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/definition.cpp
  ${CMAKE_CURRENT_LIST_DIR}/function.cpp
  ${CMAKE_CURRENT_LIST_DIR}/level.cpp
  ${CMAKE_CURRENT_LIST_DIR}/namespace.cpp
  ${CMAKE_CURRENT_LIST_DIR}/permanent.cpp
  ${CMAKE_CURRENT_LIST_DIR}/store.cpp
  ${CMAKE_CURRENT_LIST_DIR}/var.cpp)
lona_vm_test(vm_namespace_test ${CMAKE_CURRENT_LIST_DIR}/namespace_test.cpp)
lona_vm_test(vm_store_test ${CMAKE_CURRENT_LIST_DIR}/store_test.cpp)
