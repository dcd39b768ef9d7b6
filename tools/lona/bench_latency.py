# SPDX-License-Identifier: BSD-2-Clause
"""How long can a program keep the kernel from taking an interrupt?

bench/latency makes the kernel do the worst that it is known to be asked for; the debug kernel
itself records the longest stretch between entry, preemption points and exit. The machine runs with
`-icount shift=0`, where a tick of its clock is an instruction.
"""

import re

from . import bench_kernel
from .build import build
from .common import BUILD
from .tables import table

_ROOT_TASK = BUILD / "x86_64" / "bench" / "latency" / "kernel-latency.elf"
_KERNEL = BUILD / "x86_64" / "kernel" / "kernel.elf"


def bench_latency(_options, progress):
    """The longest the kernel runs with interrupts off, in each of its worst operations."""
    build("x86_64", _KERNEL.relative_to(BUILD / "x86_64"),
          _ROOT_TASK.relative_to(BUILD / "x86_64"))
    progress.show("bench latency")
    text = bench_kernel.output(_KERNEL, _ROOT_TASK, b"worst of all")
    progress.clear()
    rows = re.findall(r"^latency (\d+) ([^\r\n]*)", text, re.MULTILINE)
    table("Longest stretch without a preemption point", ("operation", "instructions"),
          [(name, count) for count, name in rows])
