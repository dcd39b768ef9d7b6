// SPDX-License-Identifier: BSD-2-Clause
// The archive of the boot image, on pages of its own so that they can be mapped to realms.
    .section .archive, "a", @progbits
    .balign 4096
    .globl archive_start
    .globl archive_end
archive_start:
    .incbin LONA_ARCHIVE
archive_end:
    .balign 4096
    .section .note.GNU-stack, "", @progbits
