# SPDX-License-Identifier: BSD-2-Clause
"""`./lona bench`: runs our programs and their peers in one call, and prints tables."""

import os
import subprocess
import sys
import time

from . import bench_boot, image, texts
from .bench_kernel import bench_kernel
from .bench_cores import bench_cores
from .bench_latency import bench_latency
from .bench_realms import bench_realms
from .bench_vm import bench_vm
from .build import build
from .common import EXIT_WRONG_USE, ROOT, Problem, Progress
from .tables import duration, table

_WORDCOUNT = ROOT / "examples" / "wordcount.lona"
_TIMEOUT = 300


def _run(words, what, **more):
    try:
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                              timeout=_TIMEOUT, **more)
    except subprocess.TimeoutExpired:
        raise Problem(f"{what} did not end in {_TIMEOUT} s") from None
    if done.returncode != 0:
        said = (done.stdout + done.stderr).decode(errors="replace")
        raise Problem(f"{what} failed:\n{said[-2000:]}")
    return done.stdout.decode(errors="replace")


def bench_boot_(_options, progress):
    """From the kernel's first instruction to the prompt, and how big the image is."""
    build("x86_64")
    progress.show("bench boot")
    measured = bench_boot.measure()
    sizes = image.make_pair()
    progress.clear()
    rows = [("kernel entry to prompt", duration(measured.nanoseconds)),
            ("the same in instructions", f"{measured.nanoseconds:,}".replace(",", " "))]
    rows += [(f"{path.name}, stripped", f"{path.stat().st_size:,} bytes".replace(",", " "))
             for path in sizes]
    table("Boot (one guest instruction is one nanosecond)", ("", "Lona"), rows)


def bench_wordcount(_options, progress):
    """The example on 1 MB of text: in the booted system, on the host, and as a pipeline."""
    build("host", "vm/lona-vm")
    build("x86_64")
    text = texts.sample(1 << 20)
    wanted = None
    rows = []
    for name, command in (("pipeline of tr, sort, uniq", None), ("Lona on the host", ["--host"]),
                          ("Lona booted", [])):
        progress.show(f"bench wordcount: {name}")
        start = time.monotonic()
        if command is None:
            found = wanted = texts.counted_by_pipeline(text)
        else:
            found = _run([ROOT / "lona", "run", *command, _WORDCOUNT], name, input=text).encode()
        rows.append((name, duration((time.monotonic() - start) * 1e9)))
        if found != wanted:
            raise Problem(f"{name} counts differently:\n{found.decode(errors='replace')}")
    progress.clear()
    table("Ten most frequent words of 1 MB", ("", "time"), rows)


_LAYERS = ("abi", "base", "kernel", "manager", "vm", "lib", "tools", "tests", "bench", "examples")
_CODE = (".cpp", ".hpp", ".S", ".def", ".lona", ".py", ".ld", ".erl")


def bench_lines(_options, _progress):
    """Lines of source by layer, tests apart; blank lines and comments included."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    counts = {layer: [0, 0] for layer in _LAYERS}
    for path in paths:
        layer = path.relative_to(ROOT).parts[0]
        if layer in counts and path.suffix in _CODE and path.exists():
            is_test = "_test." in path.name or "tests" in path.parts or "fuzz" in path.name
            counts[layer][is_test] += len(path.read_bytes().splitlines())
    rows = [(layer, str(code), str(test)) for layer, (code, test) in counts.items() if code + test]
    table("Lines", ("layer", "source", "tests"), rows)


_BENCHMARKS = {"vm": bench_vm, "kernel": bench_kernel, "cores": bench_cores,
               "latency": bench_latency, "realms": bench_realms, "boot": bench_boot_,
               "wordcount": bench_wordcount, "lines": bench_lines}


def call_bench(options):
    unknown = set(options.names) - set(_BENCHMARKS)
    if unknown:
        raise Problem(f"unknown benchmark {' '.join(sorted(unknown))}; there are "
                      f"{' '.join(_BENCHMARKS)}", EXIT_WRONG_USE)
    busy = os.getloadavg()[0]
    if busy > 0.7:
        print(f"note: the machine is busy (load {busy:.1f}); times will be too long\n",
              file=sys.stderr)
    for name in options.names or _BENCHMARKS:
        _BENCHMARKS[name](options, Progress())
    return 0
