# SPDX-License-Identifier: BSD-2-Clause
target_sources(lona_vm PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/console.cpp
  ${CMAKE_CURRENT_LIST_DIR}/forms.cpp
  ${CMAKE_CURRENT_LIST_DIR}/last_words.cpp
  ${CMAKE_CURRENT_LIST_DIR}/library.cpp
  ${CMAKE_CURRENT_LIST_DIR}/report.cpp
  ${CMAKE_CURRENT_LIST_DIR}/session.cpp
  ${CMAKE_CURRENT_LIST_DIR}/../native/natives_console.cpp)
lona_vm_test(forms_test ${CMAKE_CURRENT_LIST_DIR}/forms_test.cpp)
lona_vm_test(last_words_test ${CMAKE_CURRENT_LIST_DIR}/last_words_test.cpp)
