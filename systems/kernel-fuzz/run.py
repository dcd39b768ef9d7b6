#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs the kernel fuzzer in QEMU; ends with status 0 when all calls were made and nothing broke."""

import argparse
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "x86_64"
KERNEL = BUILD / "kernel" / "kernel.elf"
SYSTEM = BUILD / "systems" / "kernel-fuzz" / "kernel-fuzz.elf"
DONE = "kernel-fuzz: done"


def command(calls, seed, cores=1, icount=False):
    words = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-machine", "q35",
             "-cpu", "max", "-m", "128", "-display", "none", "-no-reboot", "-smp", str(cores),
             "-kernel", str(KERNEL), "-initrd", str(SYSTEM), "-serial", "stdio",
             "-fw_cfg", f"name=opt/lona/calls,string={calls}",
             "-fw_cfg", f"name=opt/lona/seed,string={seed}"]
    if cores > 1:
        # In turn on one host thread: a core waiting for the lock hands on to the one that has it.
        words += ["-accel", "tcg,thread=single"]
    return words + (["-icount", "shift=0,sleep=off"] if icount else [])


def run(calls, seed=1, cores=1, icount=False, seconds=None, show=None):
    """All that the system said, up to its end, a panic or the time limit."""
    said = []
    words = command(calls, seed, cores, icount)
    limit = ["timeout", str(seconds)] if seconds else []
    with subprocess.Popen(limit + words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace") as guest:
        try:
            for line in guest.stdout:
                said.append(line)
                if show:
                    show(line)
                # Both the end and a broken invariant halt the machine; a panic says more first.
                if "[kernel] halted" in line:
                    break
        finally:
            guest.terminate()
    return "".join(said)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--icount", action="store_true", help="the same run every time")
    options = parser.parse_args()
    text = run(options.calls, options.seed, options.cores, options.icount,
               show=lambda line: print(line, end="", flush=True))
    return 0 if DONE in text else 1


if __name__ == "__main__":
    sys.exit(main())
