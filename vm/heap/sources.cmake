# SPDX-License-Identifier: BSD-2-Clause
target_sources(lona_vm PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/allocator.cpp
  ${CMAKE_CURRENT_LIST_DIR}/arena.cpp
  ${CMAKE_CURRENT_LIST_DIR}/collector.cpp
  ${CMAKE_CURRENT_LIST_DIR}/copy.cpp
  ${CMAKE_CURRENT_LIST_DIR}/evacuation.cpp
  ${CMAKE_CURRENT_LIST_DIR}/heap.cpp
  ${CMAKE_CURRENT_LIST_DIR}/off_heap.cpp
  ${CMAKE_CURRENT_LIST_DIR}/shared_block.cpp
  ${CMAKE_CURRENT_LIST_DIR}/reserve.cpp)
lona_vm_test(heap_test ${CMAKE_CURRENT_LIST_DIR}/heap_test.cpp)
lona_vm_test(off_heap_test ${CMAKE_CURRENT_LIST_DIR}/off_heap_test.cpp)
