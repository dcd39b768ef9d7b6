# SPDX-License-Identifier: BSD-2-Clause
# Functions that describe targets.

# lona_freestanding(target [KERNEL] [NO_FPU] [CODE_MODEL small|kernel|large] [LINKER_SCRIPT file])
#
# Compiles `target` (executable or library) for the bare machine and, for an executable, links it
# statically against nothing. KERNEL means: code model `kernel`, no red zone, frame pointers, and
# no FPU, MMX or SSE register is touched by compiled code. NO_FPU is the last of these alone.
# libstdc++'s headers are usable as they are: the freestanding parts and also <algorithm>,
# <expected>, <optional>, <ranges>, <span>, <string_view>, <variant>. The target must supply
# memcpy, memmove, memset, memcmp, strlen and abort (base/ has them).
# In a host preset the function changes nothing, so a pure library can be described once.
function(lona_freestanding target)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "KERNEL;NO_FPU" "CODE_MODEL;LINKER_SCRIPT" "")
  if(NOT LONA_FREESTANDING)
    return()
  endif()
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "lona_freestanding(${target}): unknown ${ARG_UNPARSED_ARGUMENTS}")
  endif()

  set(flags -ffreestanding -fno-pic -fno-pie -fno-stack-protector -fcf-protection=none
            -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections)
  set(cxx_flags -fno-threadsafe-statics -fno-use-cxa-atexit -Wglobal-constructors)
  if(ARG_KERNEL)
    list(APPEND flags -mno-red-zone -fno-omit-frame-pointer)
    if(NOT ARG_CODE_MODEL)
      set(ARG_CODE_MODEL kernel)
    endif()
  endif()
  if(ARG_KERNEL OR ARG_NO_FPU)
    list(APPEND flags -mno-mmx -mno-sse -mno-sse2 -msoft-float)
  endif()
  if(ARG_CODE_MODEL)
    list(APPEND flags -mcmodel=${ARG_CODE_MODEL})
  endif()
  # Assembler input takes the same driver options, but has no use for the code generator's ones.
  target_compile_options(${target} PRIVATE
    "$<$<COMPILE_LANGUAGE:C,CXX>:${flags}>" "$<$<COMPILE_LANGUAGE:CXX>:${cxx_flags}>")

  get_target_property(type ${target} TYPE)
  if(type STREQUAL "EXECUTABLE")
    target_link_options(${target} PRIVATE
      -nostdlib -static -Wl,--build-id=none -Wl,--gc-sections
      -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack -Wl,-z,norelro)
    if(ARG_LINKER_SCRIPT)
      get_filename_component(script "${ARG_LINKER_SCRIPT}" ABSOLUTE)
      target_link_options(${target} PRIVATE "-Wl,-T,${script}")
      set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS "${script}")
    endif()
  endif()
endfunction()

if(NOT LONA_FREESTANDING)
  find_package(GTest REQUIRED)
endif()

# lona_host_test(name source… [LIBS library…] [ARGS argument…])
#
# A GoogleTest program, built and run in the host presets (plain and sanitized); nothing in the
# others. `source…` are the test files together with the units under test that no library holds.
function(lona_host_test name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "LIBS;ARGS")
  if(LONA_FREESTANDING)
    return()
  endif()
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS} GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name} ${ARG_ARGS}
           WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}")
  set_tests_properties(${name} PROPERTIES TIMEOUT 300 LABELS gtest)
endfunction()

# lona_fuzzer(name seconds source… [LIBS library…] [SEEDS folder…] [MOST inputs]): a libFuzzer
# program of the sanitized host preset, which ctest runs for a short while (label `fuzz`), starting
# from what the folders hold, or for as many inputs as a process can take. To go on for longer: run it
# with a folder of its own, which keeps what it learns.
function(lona_fuzzer name seconds)
  cmake_parse_arguments(PARSE_ARGV 2 ARG "" "MOST" "LIBS;SEEDS")
  if(NOT ARG_MOST)
    set(ARG_MOST -1)
  endif()
  if(NOT LONA_SANITIZE)
    return()
  endif()
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS})
  target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  set(corpus "${CMAKE_CURRENT_BINARY_DIR}/${name}_corpus")
  file(MAKE_DIRECTORY "${corpus}")
  add_test(NAME ${name} COMMAND ${name} -seed=1 -max_total_time=${seconds} -runs=${ARG_MOST}
           -max_len=4096 -len_control=0 -timeout=10 "${corpus}" ${ARG_SEEDS})
  set_tests_properties(${name} PROPERTIES TIMEOUT 120 LABELS fuzz)
endfunction()
