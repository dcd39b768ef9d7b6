# SPDX-License-Identifier: BSD-2-Clause
# The platform without `main` (unit tests bring their own), and the executable.
set(folder "${CMAKE_CURRENT_LIST_DIR}")
add_library(lona_vm_linux STATIC ${folder}/console.cpp ${folder}/core_image.cpp ${folder}/host.cpp
                                 ${folder}/kernel_objects.cpp ${folder}/memory.cpp
                                 ${folder}/no_realms.cpp
                                 ${folder}/realms.cpp ${folder}/regions.cpp
                                 ${folder}/shared_binaries.cpp ${folder}/threads.cpp
                                 ${folder}/user_file.cpp)
find_package(Threads REQUIRED)
target_link_libraries(lona_vm_linux PUBLIC Threads::Threads)
add_executable(lona-vm ${folder}/main.cpp)
target_link_libraries(lona-vm PRIVATE lona_vm lona_vm_linux lona_vm)

# The core image is written by the executable it is for, whenever that or the library is new.
file(GLOB_RECURSE library CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/lib/*.lona")
set_property(TARGET lona-vm APPEND PROPERTY LINK_DEPENDS ${library})
if(NOT LONA_SANITIZE AND NOT LONA_SANITIZE_THREADS)
  add_custom_command(TARGET lona-vm POST_BUILD
    COMMAND lona-vm --lib "${CMAKE_SOURCE_DIR}" image "$<TARGET_FILE_DIR:lona-vm>" VERBATIM)
endif()
