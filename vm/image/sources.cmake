# SPDX-License-Identifier: BSD-2-Clause
target_sources(lona_vm PRIVATE ${CMAKE_CURRENT_LIST_DIR}/image.cpp)
if(NOT LONA_FREESTANDING)
  target_sources(lona_vm_linux PRIVATE
    ${CMAKE_CURRENT_LIST_DIR}/inspect.cpp
    ${CMAKE_CURRENT_LIST_DIR}/shape.cpp
    ${CMAKE_CURRENT_LIST_DIR}/writer.cpp)
endif()
lona_vm_fuzzer(image_fuzz ${CMAKE_CURRENT_LIST_DIR}/image_fuzz.cpp 10)
lona_vm_test(image_test ${CMAKE_CURRENT_LIST_DIR}/image_test.cpp)
