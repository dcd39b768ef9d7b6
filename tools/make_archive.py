#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Makes the archive of the boot image: make_archive.py OUT [--depfile FILE] NAME=PATH…

PATH is a file, or a folder whose *.lona files go in below NAME. The same input gives the same
bytes: names are sorted, and there are no times, owners or other traces of the machine.
"""

import pathlib
import sys

BLOCK = 512


def header(name: str, size: int) -> bytes:
    raw = name.encode("ascii")
    if len(raw) > 100:
        raise SystemExit(f"make_archive: name too long: {name}")

    def field(text: bytes, width: int) -> bytes:
        return text.ljust(width, b"\0")

    before = (field(raw, 100) + b"0000444\0" + b"0000000\0" * 2 + b"%011o\0" % size
              + b"0" * 11 + b"\0")
    after = b"0" + field(b"", 100) + b"ustar\0" + b"00" + field(b"", 32) * 2 + b"0000000\0" * 2
    after = field(after + field(b"", 155), BLOCK - len(before) - 8)
    checksum = sum(before) + sum(after) + 8 * ord(" ")
    return before + b"%06o\0 " % checksum + after


def members(arguments: list[str]) -> dict[str, pathlib.Path]:
    found: dict[str, pathlib.Path] = {}
    for argument in arguments:
        name, _, path_text = argument.partition("=")
        path = pathlib.Path(path_text)
        if path.is_dir():
            for file in path.rglob("*.lona"):
                found[f"{name}/{file.relative_to(path).as_posix()}"] = file
        else:
            found[name] = path
    return found


def main() -> None:
    arguments = sys.argv[1:]
    depfile = None
    if "--depfile" in arguments:
        at = arguments.index("--depfile")
        depfile = arguments[at + 1]
        del arguments[at : at + 2]
    if len(arguments) < 1:
        raise SystemExit(__doc__)
    out = pathlib.Path(arguments[0])
    files = members(arguments[1:])
    archive = bytearray()
    for name in sorted(files):
        content = files[name].read_bytes()
        archive += header(name, len(content)) + content
        archive += bytes(-len(content) % BLOCK)
    archive += bytes(2 * BLOCK)
    out.write_bytes(archive)
    if depfile:
        inputs = " ".join(str(path) for path in files.values())
        pathlib.Path(depfile).write_text(f"{out}: {inputs}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
