# SPDX-License-Identifier: BSD-2-Clause
"""What do messages and signals between cores cost, and what do cores lose to each other?

bench/cores is a root task that measures itself on two cores. It runs twice: with `-icount shift=0`,
where a tick is an instruction of a core that is not halted, and in real time, where each core is a
thread of the host. The instructions are the same everywhere; the times, and all that two pairs do
to each other, need an idle host with two processors.
"""

import re

from . import bench_kernel
from .build import build
from .common import BUILD, Problem
from .tables import duration, table

_ROOT_TASK = BUILD / "x86_64" / "bench" / "cores" / "kernel-cores.elf"
_RELEASE_KERNEL = BUILD / "x86_64" / "kernel" / "kernel-release.elf"
_CLOCK = "ticks in a millisecond"
_PAIRS = re.compile(r"(.*), one pair on each of two cores")


def _measure(**how):
    text = bench_kernel.output(_RELEASE_KERNEL, _ROOT_TASK, cores=2, **how)
    wrong = re.search(r"^failed: .*", text, re.MULTILINE)
    if wrong:
        raise Problem(wrong[0])
    return {name: int(value) for name, value in re.findall(r"^(.*)\t(\d+)\r?$", text, re.MULTILINE)}


def bench_cores(_options, progress):
    """Messages between cores, and pairs beside each other."""
    build("x86_64", _RELEASE_KERNEL.relative_to(BUILD / "x86_64"),
          _ROOT_TASK.relative_to(BUILD / "x86_64"))
    progress.show("bench cores")
    counts, ticks = _measure(), _measure(clock=())
    progress.clear()
    counts.pop(_CLOCK)
    per_ms = ticks.pop(_CLOCK, 0)
    rows = []
    for name, count in counts.items():
        # A row that a busy host did not let begin, or in which the pairs never met, has no time.
        time = ticks.get(name, 0)
        pair = _PAIRS.match(name)
        alone = f"{pair[1]}, both on one core" if pair else None
        rows.append((name, "" if pair else str(count),
                     duration(time * 1e6 / per_ms) if time and per_ms else "-",
                     f"{time / ticks[alone] - 1:+.0%}" if pair and time else "-" if pair else ""))
    table("Two cores, there and back", ("operation", "instructions", "time", "against one pair"),
          rows)
