# SPDX-License-Identifier: BSD-2-Clause
target_sources(lona_vm PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/binaries.cpp
  ${CMAKE_CURRENT_LIST_DIR}/capabilities.cpp
  ${CMAKE_CURRENT_LIST_DIR}/frames.cpp
  ${CMAKE_CURRENT_LIST_DIR}/realms.cpp
  ${CMAKE_CURRENT_LIST_DIR}/receive.cpp
  ${CMAKE_CURRENT_LIST_DIR}/regions.cpp
  ${CMAKE_CURRENT_LIST_DIR}/room.cpp
  ${CMAKE_CURRENT_LIST_DIR}/routes.cpp
  ${CMAKE_CURRENT_LIST_DIR}/signals.cpp
  ${CMAKE_CURRENT_LIST_DIR}/wire_decode.cpp
  ${CMAKE_CURRENT_LIST_DIR}/wire_encode.cpp
  ${CMAKE_CURRENT_LIST_DIR}/../native/natives_realm.cpp
  ${CMAKE_CURRENT_LIST_DIR}/../native/natives_region.cpp)
lona_vm_test(vm_realm_test ${CMAKE_CURRENT_LIST_DIR}/frames_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/wire_test.cpp)
lona_vm_test(vm_peers_test ${CMAKE_CURRENT_LIST_DIR}/peers_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/fake_realms.cpp)
# Any bytes from another realm.
lona_vm_fuzzer(wire_fuzz ${CMAKE_CURRENT_LIST_DIR}/wire_fuzz.cpp 8)
# What realms around this one do, one thing after the other. The names that come stay for ever.
if(LONA_SANITIZE AND TARGET lona_vm_linux)
  lona_fuzzer(peers_fuzz 8 ${CMAKE_CURRENT_LIST_DIR}/peers_fuzz.cpp
    ${CMAKE_CURRENT_LIST_DIR}/fake_realms.cpp LIBS lona_vm lona_vm_linux MOST 40000)
endif()
