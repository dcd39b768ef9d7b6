# SPDX-License-Identifier: BSD-2-Clause
target_sources(lona_vm PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/disassemble.cpp
  ${CMAKE_CURRENT_LIST_DIR}/opcodes.cpp)
