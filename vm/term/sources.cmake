# SPDX-License-Identifier: BSD-2-Clause
target_sources(lona_vm PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/compare.cpp
  ${CMAKE_CURRENT_LIST_DIR}/equal.cpp
  ${CMAKE_CURRENT_LIST_DIR}/hash.cpp
  ${CMAKE_CURRENT_LIST_DIR}/name_id.cpp
  ${CMAKE_CURRENT_LIST_DIR}/symbol.cpp)
target_link_libraries(lona_vm PUBLIC /usr/lib/x86_64-linux-gnu/libtomcrypt.a)
lona_vm_test(vm_name_id_test ${CMAKE_CURRENT_LIST_DIR}/name_id_test.cpp)
lona_vm_test(vm_symbol_test ${CMAKE_CURRENT_LIST_DIR}/symbol_test.cpp)
