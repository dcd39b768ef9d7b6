# SPDX-License-Identifier: BSD-2-Clause
"""How many instructions does the kernel execute for each operation?

bench/kernel is a root task that measures itself; it runs on any kernel of the ABI. The machine runs
with `-icount shift=0`, so that the figures are the same on every computer.
"""

import pathlib
import subprocess
import tempfile
import time

from . import machine
from .build import build
from .common import BUILD, Problem, say
from .tables import table

_ROOT_TASK = BUILD / "x86_64" / "bench" / "kernel" / "bench.elf"
_RELEASE_KERNEL = BUILD / "x86_64" / "kernel" / "kernel-release.elf"
_END = b"end of benchmark"
_SECONDS = 60


_COUNTING = ("-icount", "shift=0,sleep=off")


def output(kernel, root_task=_ROOT_TASK, end_mark=_END, cores=1, clock=_COUNTING, memory=512):
    settings = machine.Settings(kernel=kernel, root_task=root_task, machine="pc", cores=cores,
                                memory=memory, extra=[*clock])
    machine.check(settings)
    with tempfile.TemporaryDirectory(prefix="lona-") as folder:
        log = pathlib.Path(folder) / "log"
        log.touch()
        words = machine.command(settings, f"file,path={log}")
        with subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as guest:
            try:
                end = time.monotonic() + _SECONDS
                while time.monotonic() < end and guest.poll() is None:
                    text = log.read_bytes()
                    if end_mark in text:
                        break
                    time.sleep(0.1)
                else:
                    if b"\t" not in text:
                        raise Problem(f"the benchmark did not run on {kernel}:\n"
                                      f"{text[-1000:].decode(errors='replace')}")
                    say(f"the benchmark did not end on {kernel}; the rows so far are shown")
            finally:
                guest.kill()
    return text.decode(errors="replace")


def measure(kernel):
    """Rows in the order in which they were measured: name and instructions, None if it failed."""
    rows = {}
    for line in output(kernel).splitlines():
        name, tab, value = line.partition("\t")
        if tab:
            rows[name] = int(value) if value.isdigit() else None
        elif line.startswith("failed: "):
            raise Problem(f"on {kernel}: {line}")
    return rows


def bench_kernel(options, progress):
    """Instructions of each kernel operation, if wanted beside another kernel."""
    build("x86_64", "bench/kernel/bench.elf", "kernel/kernel-release.elf")
    progress.show("bench kernel")
    ours = measure(_RELEASE_KERNEL)
    other = measure(options.kernel) if options.kernel else None
    progress.clear()
    rows = []
    for name, value in ours.items():
        cells = [name, "failed" if value is None else str(value)]
        if other is not None:
            peer = other.get(name)
            cells.append("-" if peer is None else str(peer))
            cells.append(f"{value / peer:.2f}" if value is not None and peer else "-")
        rows.append(tuple(cells))
    head = ("operation", "Lona", options.kernel.name, "ratio") if options.kernel else (
        "operation", "Lona")
    table("Kernel, instructions per operation", head, rows)
