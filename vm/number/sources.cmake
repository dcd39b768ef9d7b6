# SPDX-License-Identifier: BSD-2-Clause
# Numbers, and the libraries they stand on. Host and realm link the same archives of Debian's, so
# results are the same in both. Of musl's C library only the mathematical functions are taken.
set(folder "${CMAKE_CURRENT_LIST_DIR}")
target_sources(lona_vm PRIVATE
  ${folder}/arithmetic.cpp ${folder}/float_text.cpp ${folder}/integer.cpp
  ${folder}/integer_bits.cpp ${folder}/integer_text.cpp ${folder}/multiprecision.cpp
  ${folder}/number.cpp ${folder}/order.cpp ${folder}/rounding.cpp ${folder}/text.cpp)
if(LONA_FREESTANDING)
  target_sources(lona_vm PRIVATE ${folder}/foreign.cpp)
endif()

set(archives /usr/lib/x86_64-linux-gnu)
set(musl /usr/lib/x86_64-linux-musl/libc.a)
set(functions
  __cos __expo2 __math_divzero __math_invalid __math_oflow __math_uflow __math_xflow __rem_pio2
  __rem_pio2_large __sin __tan acos acosh asin asinh atan atan2 atanh cbrt ceil cos cosh exp exp2
  exp_data expm1 fabs floor fmod fmodf hypot ldexp log log10 log1p log2 log2_data log_data pow
  pow_data rint round scalbn sin sinh sqrt tan tanh trunc truncf)
list(TRANSFORM functions APPEND .lo OUTPUT_VARIABLE members)
set(math "${CMAKE_CURRENT_BINARY_DIR}/liblona_math.a")
add_custom_command(
  OUTPUT "${math}"
  COMMAND ${CMAKE_COMMAND} -E rm -rf "${math}" math
  COMMAND ${CMAKE_COMMAND} -E make_directory math
  COMMAND llvm-ar-19 x --output math "${musl}" ${members}
  COMMAND ${CMAKE_COMMAND} -E chdir math llvm-ar-19 rcs "${math}" ${members}
  DEPENDS "${musl}" VERBATIM)
add_custom_target(lona_math DEPENDS "${math}")
add_dependencies(lona_vm lona_math)
target_link_libraries(lona_vm PUBLIC
  ${archives}/libgmp.a ${archives}/libdouble-conversion.a "${math}")
lona_vm_test(vm_number_test ${folder}/number_test.cpp)
lona_vm_fuzzer(number_fuzz ${folder}/number_fuzz.cpp 8)
