# SPDX-License-Identifier: BSD-2-Clause
# The platform without `main` (unit tests bring their own), and the executable.
set(folder "${CMAKE_CURRENT_LIST_DIR}")
add_library(lona_vm_linux STATIC ${folder}/console.cpp ${folder}/host.cpp ${folder}/memory.cpp)
add_executable(lona-vm ${folder}/main.cpp)
target_link_libraries(lona-vm PRIVATE lona_vm lona_vm_linux lona_vm)
