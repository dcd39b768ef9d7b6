#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the function table that the kernel prints backtraces with.

Usage: kernel_symbols.py KERNEL.ELF OUTPUT.S

The kernel is linked once without the table and once with it; the table lies behind all code, so
the addresses of functions are the same in both.
"""
import subprocess
import sys


def functions(elf, first, last):
    """The functions from one symbol to another: pairs of distance from the first and name."""
    lines = subprocess.run(
        ["llvm-nm-19", "--numeric-sort", "--demangle", "--defined-only", elf],
        check=True, capture_output=True, text=True).stdout.splitlines()
    symbols = []
    begin = end = None
    for line in lines:
        address, kind, name = line.split(" ", 2)
        if name == first:
            begin = int(address, 16)
        elif name == last:
            end = int(address, 16)
        elif kind in "tTwW":
            symbols.append((int(address, 16), name))
    if begin is None or end is None:
        sys.exit(f"{elf}: no {first} or {last}")
    table = {}
    for address, name in symbols:
        if begin <= address < end:
            # Arguments say nothing in a backtrace.
            table[address - begin] = name.replace("(anonymous namespace)::", "").split("(")[0]
    return sorted(table.items())


def main():
    elf, output = sys.argv[1:]
    table = functions(elf, "kernel_text_begin", "kernel_text_end")
    if not table:
        sys.exit(f"{elf}: no functions")
    lines = [
        "// SPDX-License-Identifier: BSD-2-Clause",
        '  .section .symbols, "a"',
        "  .balign 8",
        "  .globl kernel_symbol_count, kernel_symbol_table, kernel_symbol_names",
        f"kernel_symbol_count: .long {len(table)}",
        "kernel_symbol_table:",
    ]
    names = []
    position = 0
    for offset, name in table:
        lines.append(f"  .long {offset}, {position}")
        names.append(f'  .asciz "{name}"')
        position += len(name) + 1
    lines += ["kernel_symbol_names:"] + names + [""]
    with open(output, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


if __name__ == "__main__":
    main()
