# SPDX-License-Identifier: BSD-2-Clause
# Toolchain of the freestanding build. The target triple is the Linux one only so that clang finds
# the standard library's headers; nothing of Linux is linked (see LonaTargets.cmake).
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER clang-19)
set(CMAKE_CXX_COMPILER clang++-19)
set(CMAKE_ASM_COMPILER clang-19)
set(CMAKE_C_COMPILER_TARGET x86_64-linux-gnu)
set(CMAKE_CXX_COMPILER_TARGET x86_64-linux-gnu)
set(CMAKE_ASM_COMPILER_TARGET x86_64-linux-gnu)
# There is no C library to link a probe program with.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
