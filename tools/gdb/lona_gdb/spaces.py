# SPDX-License-Identifier: BSD-2-Clause
"""Address spaces: what a thread's page tables map (Intel SDM volume 3, 4.5)."""

import gdb

from . import thread_argument, words
from .caps import Cap

_PHYSICAL_WINDOW = 0xffff_ff00_0000_0000  # kernel/object/window.hpp
_ADDRESS = 0x000f_ffff_ffff_f000
_PRESENT, _WRITABLE, _LARGE = 1, 2, 1 << 7
_TOP, _BOTTOM = 39, 12


def mappings(table, level=_TOP, base=0):
    """(address, size, physical address, writable) of each page below a table of user space."""
    count = 256 if level == _TOP else 512
    for index, entry in enumerate(words(table, count)):
        if not entry & _PRESENT:
            continue
        address = base + (index << level)
        if level == _BOTTOM or level != _TOP and entry & _LARGE:
            physical = entry & _ADDRESS & ~((1 << level) - 1)
            yield address, 1 << level, physical, bool(entry & _WRITABLE)
        else:
            yield from mappings(_PHYSICAL_WINDOW + (entry & _ADDRESS), level - 9, address)


def merged(pages):
    """Neighbours with the same size and rights as one: (begin, end, page size, writable)."""
    run = None
    for address, size, _, writable in pages:
        if run and run[1:] == (address, size, writable):
            run = (run[0], address + size, size, writable)
            continue
        if run:
            yield run
        run = (address, address + size, size, writable)
    if run:
        yield run


class Space(gdb.Command):
    """lona space [TCB]: what is mapped in a thread's address space."""

    def __init__(self):
        super().__init__("lona space", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        root = Cap(thread_argument(argument)["slots"][1]["cap"])
        if root.type != "Pml4":
            raise gdb.GdbError("the thread has no address space")
        print(root)
        for begin, end, size, writable in merged(mappings(root.object)):
            kind = {12: "4 KiB", 21: "2 MiB", 30: "1 GiB"}[size.bit_length() - 1]
            rights = "read and write" if writable else "read"
            print(f"  {begin:#14x}-{end:#x} {(end - begin) // size} x {kind}, {rights}")


def register():
    Space()
