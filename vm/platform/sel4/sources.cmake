# SPDX-License-Identifier: BSD-2-Clause
# The platform of a realm, and the VM's executable in the realm.
set(folder "${CMAKE_CURRENT_LIST_DIR}")
add_library(lona_vm_sel4 OBJECT
  ${folder}/console.cpp ${folder}/memory.cpp ${folder}/session.cpp ${folder}/start.cpp
  ${folder}/virtio_console.cpp)
target_link_libraries(lona_vm_sel4 PRIVATE lona_base lona_base_libc)
lona_freestanding(lona_vm_sel4)

file(WRITE "${CMAKE_CURRENT_BINARY_DIR}/vm_elf.cpp" "")
add_executable(vm.elf "${CMAKE_CURRENT_BINARY_DIR}/vm_elf.cpp")
target_link_libraries(vm.elf PRIVATE lona_vm_sel4 lona_vm)
lona_freestanding(vm.elf LINKER_SCRIPT "${folder}/realm.ld")
