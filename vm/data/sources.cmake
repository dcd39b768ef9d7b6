# SPDX-License-Identifier: BSD-2-Clause
target_sources(lona_vm PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/binary.cpp
  ${CMAKE_CURRENT_LIST_DIR}/bits.cpp
  ${CMAKE_CURRENT_LIST_DIR}/each.cpp
  ${CMAKE_CURRENT_LIST_DIR}/map.cpp
  ${CMAKE_CURRENT_LIST_DIR}/map_builder.cpp
  ${CMAKE_CURRENT_LIST_DIR}/pool.cpp
  ${CMAKE_CURRENT_LIST_DIR}/sequence.cpp
  ${CMAKE_CURRENT_LIST_DIR}/string.cpp
  ${CMAKE_CURRENT_LIST_DIR}/text_place.cpp
  ${CMAKE_CURRENT_LIST_DIR}/unicode.cpp
  ${CMAKE_CURRENT_LIST_DIR}/utf8.cpp
  ${CMAKE_CURRENT_LIST_DIR}/vector.cpp
  ${CMAKE_CURRENT_LIST_DIR}/vector_tree.cpp)
lona_vm_test(vm_data_test ${CMAKE_CURRENT_LIST_DIR}/data_test.cpp)
lona_vm_test(vm_bits_test ${CMAKE_CURRENT_LIST_DIR}/bits_test.cpp)
# Tables of characters; the same archive of Debian's for host and realm (vm/number/foreign.cpp has
# what it refers to and never calls).
target_link_libraries(lona_vm PUBLIC /usr/lib/x86_64-linux-gnu/libutf8proc.a)
lona_vm_fuzzer(unicode_fuzz ${CMAKE_CURRENT_LIST_DIR}/unicode_fuzz.cpp 8)
