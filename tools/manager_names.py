#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the names of a memory manager's functions into its image, for reports of its own faults.

Usage: manager_names.py MANAGER.ELF

The image has room for them (manager/own_function_names.S); manager/function_names.hpp says what the
table looks like.
"""
import pathlib
import struct
import subprocess
import sys

from kernel_symbols import functions

_LOAD = 1


def table(found):
    names = bytearray()
    start = 4 + 8 * len(found)
    entries = [struct.pack("<I", len(found))]
    for offset, name in found:
        entries.append(struct.pack("<II", offset, start + len(names)))
        names += name.encode() + b"\0"
    return b"".join(entries) + bytes(names)


def room(elf):
    """From which address to which there is room for the table."""
    found = {}
    for line in subprocess.run(["llvm-nm-19", elf], check=True, capture_output=True,
                               text=True).stdout.splitlines():
        found[line.split()[-1]] = line.split()[0]
    try:
        return int(found["function_names_start"], 16), int(found["function_names_end"], 16)
    except KeyError:
        sys.exit(f"{elf}: no room for the names of its functions")


def file_offset(image, address):
    """Where in the file the byte of an address is."""
    first, = struct.unpack_from("<Q", image, 0x20)
    size, count = struct.unpack_from("<HH", image, 0x36)
    for header in range(first, first + size * count, size):
        kind, _, offset, start, _, length = struct.unpack_from("<IIQQQQ", image, header)
        if kind == _LOAD and start <= address < start + length:
            return offset + address - start
    sys.exit(f"{address:#x} is not in the file")


def main():
    path = pathlib.Path(sys.argv[1])
    content = table(functions(path, "image_start", "image_text_end"))
    begin, end = room(path)
    if len(content) > end - begin:
        sys.exit(f"{path}: the names of its functions take {len(content)} bytes, there is room for "
                 f"{end - begin} (manager/own_function_names.S)")
    image = bytearray(path.read_bytes())
    place = file_offset(image, begin)
    image[place:place + len(content)] = content
    path.write_bytes(image)


if __name__ == "__main__":
    main()
