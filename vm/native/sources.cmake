# SPDX-License-Identifier: BSD-2-Clause
target_sources(lona_vm PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/native_table.cpp
  ${CMAKE_CURRENT_LIST_DIR}/natives_code.cpp
  ${CMAKE_CURRENT_LIST_DIR}/natives_process.cpp
  ${CMAKE_CURRENT_LIST_DIR}/not_sendable.cpp
  ${CMAKE_CURRENT_LIST_DIR}/natives_time.cpp)
include(${CMAKE_CURRENT_LIST_DIR}/data_sources.cmake)
