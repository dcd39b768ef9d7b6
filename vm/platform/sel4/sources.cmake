# SPDX-License-Identifier: BSD-2-Clause
# The platform of a realm, and the VM's executable in the realm.
set(folder "${CMAKE_CURRENT_LIST_DIR}")
add_library(lona_vm_sel4 OBJECT
  ${folder}/clock.cpp ${folder}/console.cpp ${folder}/debug_calls.cpp ${folder}/helpers.cpp ${folder}/host_request.cpp
  ${folder}/kernel_objects.cpp ${folder}/manager.cpp ${folder}/memory.cpp ${folder}/output.cpp ${folder}/realms.cpp
  ${folder}/shared_binaries.cpp
  ${folder}/session.cpp ${folder}/start.cpp ${folder}/user_file.cpp ${folder}/virtio_console.cpp
  ${folder}/workers.cpp)
target_link_libraries(lona_vm_sel4 PRIVATE lona_base lona_base_libc)
lona_freestanding(lona_vm_sel4)

# The core image is written by the VM of the host build, which is brought up to date first.
set(host_build "${CMAKE_SOURCE_DIR}/build/host")
set(core_files "${host_build}/vm/core-constants.bin" "${host_build}/vm/core-data.bin")
add_custom_target(lona_core_image
  COMMAND sh -c "test -f ${host_build}/build.ninja || cmake --preset host >/dev/null"
  COMMAND cmake --build "${host_build}" --target lona-vm -- --quiet
  WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}" BYPRODUCTS ${core_files}
  COMMENT "Core image" VERBATIM)
set_source_files_properties("${folder}/core_image.S" PROPERTIES
  COMPILE_DEFINITIONS
    "LONA_CORE_CONSTANTS=\"${host_build}/vm/core-constants.bin\";LONA_CORE_DATA=\"${host_build}/vm/core-data.bin\""
  OBJECT_DEPENDS "${core_files}")

add_executable(vm.elf "${folder}/core_image.S")
add_dependencies(vm.elf lona_core_image)
target_link_libraries(vm.elf PRIVATE lona_vm_sel4 lona_vm)
lona_freestanding(vm.elf LINKER_SCRIPT "${folder}/realm.ld")
set_target_properties(vm.elf PROPERTIES LINKER_LANGUAGE CXX)
