# SPDX-License-Identifier: BSD-2-Clause
target_sources(lona_vm PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/bits.cpp
  ${CMAKE_CURRENT_LIST_DIR}/branch.cpp
  ${CMAKE_CURRENT_LIST_DIR}/define.cpp
  ${CMAKE_CURRENT_LIST_DIR}/emitter.cpp
  ${CMAKE_CURRENT_LIST_DIR}/liveness.cpp
  ${CMAKE_CURRENT_LIST_DIR}/macro.cpp
  ${CMAKE_CURRENT_LIST_DIR}/match.cpp
  ${CMAKE_CURRENT_LIST_DIR}/positions.cpp
  ${CMAKE_CURRENT_LIST_DIR}/receive.cpp
  ${CMAKE_CURRENT_LIST_DIR}/tables.cpp
  ${CMAKE_CURRENT_LIST_DIR}/unit.cpp
  ${CMAKE_CURRENT_LIST_DIR}/ways.cpp)
lona_vm_test(ways_test ${CMAKE_CURRENT_LIST_DIR}/ways_test.cpp)
