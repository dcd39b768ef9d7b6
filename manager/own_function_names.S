// SPDX-License-Identifier: BSD-2-Clause
// Room for the names of the manager's functions (function_names.hpp), which tools/manager_names.py
// fills in once they have their addresses.
    .section .names, "a", @progbits
    .balign 8
    .globl function_names_start
    .globl function_names_end
function_names_start:
    .space 24 << 10
function_names_end:
    .section .note.GNU-stack, "", @progbits
