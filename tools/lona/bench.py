# SPDX-License-Identifier: BSD-2-Clause
"""`./lona bench`: runs our programs and their peers in one call, and prints tables."""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from . import bench_boot, image, texts
from .build import build
from .common import EXIT_WRONG_USE, HOST_VM, ROOT, Problem, Progress

_PROGRAMS = ROOT / "bench" / "vm"
_ERLANG = ROOT / "bench" / "peers" / "erlang"
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


def _medians(text):
    """Nanoseconds per operation of each row; the first repetition warmed up."""
    samples = {}
    for line in text.splitlines():
        row, operations, nanoseconds = line.split()
        samples.setdefault(row, []).append(int(nanoseconds) / int(operations))
    return {row: statistics.median(values[1:]) for row, values in samples.items()}


def table(title, head, rows):
    rows = [head, *rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    print(title)
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  " + "  ".join(cells).rstrip())
    print(flush=True)


def _duration(nanoseconds):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.2f} {unit}"
    return f"{nanoseconds:.0f} ns"


def bench_vm(progress):
    """Spawn, messages and computing on the host build, beside Erlang with its JIT."""
    build("host", "vm/lona-vm")
    if shutil.which("erl") is None:
        raise Problem("erl is missing; run ./lona setup")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for program in sorted(_PROGRAMS.glob("*.lona")):
            progress.show(f"bench vm: {program.stem}")
            peer = _ERLANG / f"{program.stem}.erl"
            _run(["erlc", "-o", folder, peer], f"erlc {peer.name}")
            ours = _medians(_run([HOST_VM, "--lib", ROOT, "run", program], program.name,
                                 stdin=subprocess.DEVNULL))
            theirs = _medians(_run(["erl", "+S", "1", "-noshell", "-pa", folder, "-s",
                                    program.stem, "main", "-s", "init", "stop"], peer.name,
                                   stdin=subprocess.DEVNULL))
            if ours.keys() != theirs.keys():
                raise Problem(f"{program.name} and {peer.name} measure different rows")
            rows += [(row, _duration(ours[row]), _duration(theirs[row]),
                      f"{ours[row] / theirs[row]:.2f}") for row in ours]
    progress.clear()
    table("VM on the host, time per operation", ("operation", "Lona", "Erlang", "ratio"), rows)


def bench_boot_(progress):
    """From the kernel's first instruction to the prompt, and how big the image is."""
    build("x86_64")
    progress.show("bench boot")
    measured = bench_boot.measure()
    sizes = image.make_pair()
    progress.clear()
    rows = [("kernel entry to prompt", _duration(measured.nanoseconds)),
            ("the same in instructions", f"{measured.nanoseconds:,}".replace(",", " "))]
    rows += [(f"{path.name}, stripped", f"{path.stat().st_size:,} bytes".replace(",", " "))
             for path in sizes]
    table("Boot (one guest instruction is one nanosecond)", ("", "Lona"), rows)


def bench_wordcount(progress):
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
        rows.append((name, _duration((time.monotonic() - start) * 1e9)))
        if found != wanted:
            raise Problem(f"{name} counts differently:\n{found.decode(errors='replace')}")
    progress.clear()
    table("Ten most frequent words of 1 MB", ("", "time"), rows)


_LAYERS = ("abi", "base", "kernel", "manager", "vm", "lib", "tools", "tests", "bench", "examples")
_CODE = (".cpp", ".hpp", ".S", ".def", ".lona", ".py", ".ld", ".erl")


def bench_lines(_progress):
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


_BENCHMARKS = {"vm": bench_vm, "boot": bench_boot_, "wordcount": bench_wordcount,
               "lines": bench_lines}


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
        _BENCHMARKS[name](Progress())
    return 0
