# SPDX-License-Identifier: BSD-2-Clause
# What every target of every preset is compiled with.
#
# LONA_TARGET        host | x86_64
# LONA_FREESTANDING  true when LONA_TARGET is a machine of ours
# LONA_SANITIZE      host only: ASan and UBSan, assertions on
# LONA_SANITIZE_THREADS  host only: TSan, assertions on

set(LONA_TARGET "host" CACHE STRING "host or x86_64")
option(LONA_SANITIZE "Address and undefined behaviour sanitizers" OFF)
option(LONA_SANITIZE_THREADS "Thread sanitizer" OFF)

if(LONA_TARGET STREQUAL "host")
  set(LONA_FREESTANDING FALSE)
else()
  set(LONA_FREESTANDING TRUE)
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED TRUE)
set(CMAKE_CXX_EXTENSIONS TRUE)
set(CMAKE_COLOR_DIAGNOSTICS TRUE)

# Optimisation is set here and not by a build type, so that every preset has exactly one meaning.
set(CMAKE_BUILD_TYPE "" CACHE STRING "unused: the preset decides" FORCE)

include_directories("${CMAKE_SOURCE_DIR}")
add_compile_options(-g -Wall -Wextra -Werror -fdiagnostics-absolute-paths)
add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions;-fno-rtti>")
# Paths in debug information and __FILE__ are relative to the repository: builds are reproducible.
add_compile_options("-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")

if(LONA_SANITIZE)
  add_compile_options(-O1 -fno-omit-frame-pointer -fsanitize=address,undefined
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
elseif(LONA_SANITIZE_THREADS)
  add_compile_options(-O1 -fno-omit-frame-pointer -fsanitize=thread)
  add_link_options(-fsanitize=thread)
else()
  add_compile_options(-O2 -DNDEBUG)
endif()

add_link_options(--ld-path=/usr/bin/ld.lld-19)
