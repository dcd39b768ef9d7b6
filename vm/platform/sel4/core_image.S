# SPDX-License-Identifier: BSD-2-Clause
# The core image that the host build has written; realm.ld puts its parts where they belong.
    .section .core_constants, "a", @progbits
    .balign 4096
    .incbin LONA_CORE_CONSTANTS
    .section .core_data, "aw", @progbits
    .balign 4096
    .incbin LONA_CORE_DATA
    .section .note.GNU-stack, "", @progbits
