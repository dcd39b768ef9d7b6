# SPDX-License-Identifier: BSD-2-Clause
target_sources(lona_vm PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/kernel_objects.cpp
  ${CMAKE_CURRENT_LIST_DIR}/load_file.cpp
  ${CMAKE_CURRENT_LIST_DIR}/loads.cpp
  ${CMAKE_CURRENT_LIST_DIR}/process_table.cpp
  ${CMAKE_CURRENT_LIST_DIR}/reclaim.cpp
  ${CMAKE_CURRENT_LIST_DIR}/scheduler.cpp
  ${CMAKE_CURRENT_LIST_DIR}/send_after.cpp
  ${CMAKE_CURRENT_LIST_DIR}/source.cpp
  ${CMAKE_CURRENT_LIST_DIR}/timers.cpp
  ${CMAKE_CURRENT_LIST_DIR}/vm.cpp
  ${CMAKE_CURRENT_LIST_DIR}/workers.cpp)
lona_vm_test(failure_test ${CMAKE_CURRENT_LIST_DIR}/failure_test.cpp)
lona_vm_test(loads_test ${CMAKE_CURRENT_LIST_DIR}/loads_test.cpp)
lona_vm_test(workers_test ${CMAKE_CURRENT_LIST_DIR}/workers_test.cpp)
lona_vm_test(seed_test ${CMAKE_CURRENT_LIST_DIR}/seed_test.cpp)
lona_vm_test(timers_test ${CMAKE_CURRENT_LIST_DIR}/timers_test.cpp)
