# SPDX-License-Identifier: BSD-2-Clause
"""`./lona bench vm`: programs in Lonala, and beside them the same programs in Erlang.

Each program of bench/vm has the name, arguments and rows of one in bench/peers/erlang. A row is
`NAME OPERATIONS TIME VALUE`, separated by tabs; VALUE is nanoseconds per operation, or something
else that the end of the name tells (`.bytes`, `_us`). Both sides warm up and take medians; here
they only take turns.
"""

import pathlib
import re
import shutil
import subprocess
import tempfile

from .build import build
from .common import EXIT_WRONG_USE, HOST_VM, ROOT, Problem
from .tables import duration, table

_PROGRAMS = ROOT / "bench" / "vm"
_ERLANG = ROOT / "bench" / "peers" / "erlang"
_TIMEOUT = 600

# Program → its arguments, and smaller ones with which callgrind counts instructions, twice: the
# difference of the two is free of start-up.
_SIZES = {
    "spawn": ("300000 100000", "1000 500", "2000 1000"),
    "pingpong": ("500000", "1000", "3000"),
    "ring": ("1000 1000000", "100 2000", "100 6000"),
    "fanin": ("1000 1000", "10 200", "10 600"),
    "bigmsg": ("10000", "10", "30"),
    "binmsg": ("400000", "1000", "3000"),
    "selective": ("60000 400000", "100 1000", "300 3000"),
    "fib": ("30 60", "15 1", "15 3"),
    "tak": ("18 12 6 2500", "12 8 4 1", "12 8 4 3"),
    "nqueens": ("10 20", "6 1", "6 3"),
    "listops": ("1000000 5", "1000 2", "1000 6"),
    "mapops": ("100000 5 30 15000000", "1000 1 1 1000", "1000 3 3 3000"),
    "strcat": ("4000000 1000000", "1000 1000", "3000 3000"),
    "binmatch": ("10000000 15", "10000 1", "10000 3"),
    "nbody": ("250000", "100", "300"),
    "mandelbrot": ("400 6", "20 1", "20 3"),
    "bigint": ("2000 200 10000 1500", "500 1 2000 1", "500 3 2000 3"),
    "binary_trees": ("16 3", "6 1", "6 3"),
    "gc_pause": ("230000 2000000", None, None),
    "timers": ("100000 4 15000000", None, None),
    "link_storm": ("10000 15 3", "20 5 1", "60 5 1"),
    "gen_call": ("300000", "500", "1500"),
    "spawn_tree": ("30 10 3", "15 5 1", "15 5 3"),
}


def _output(words, what):
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False,
                              timeout=_TIMEOUT)
    except subprocess.TimeoutExpired:
        raise Problem(f"{what} did not end in {_TIMEOUT} s") from None
    if done.returncode != 0:
        said = (done.stdout + done.stderr).decode(errors="replace")
        raise Problem(f"{what} failed:\n{said[-2000:]}")
    return done.stdout.decode(), done.stderr.decode(errors="replace")


def _rows(text):
    """Row → (operations, value)."""
    cells = [line.split("\t") for line in text.splitlines()]
    return {name: (int(operations), float(value)) for name, operations, _, value in cells}


def _ours(program, arguments, workers):
    several = ["--workers", str(workers)] if workers > 1 else []
    words = [HOST_VM, "--lib", ROOT, *several, "run", _PROGRAMS / f"{program}.lona",
             *arguments.split()]
    return _rows(_output(words, f"{program}.lona")[0])


def _theirs(program, arguments, workers, folder):
    words = ["erl", "+S", f"{workers}:{workers}", "-noshell", "-noinput", "-pa", folder,
             "-run", program, "main", *arguments.split(), "-s", "init", "stop"]
    return _rows(_output(words, f"{program}.erl")[0])


def _smallest(runs):
    """Row → the smallest of its values."""
    return {row: min(run[row][1] for run in runs) for row in runs[0]}


def _is_time(row):
    return "." not in row


def _shown(row, value):
    if value is None:
        return "-"
    return duration(value) if _is_time(row) else f"{value:.0f}"


def _print_table(title, rows, peers):
    if not peers:
        table(title, ("row", "Lona"), [(row, _shown(row, ours)) for row, ours, _ in rows])
        return
    table(title, ("row", "Lona", "Erlang", "ratio"),
          [(row, _shown(row, ours), _shown(row, theirs), f"{ours / theirs:.2f}" if theirs else "-")
           for row, ours, theirs in rows])


def _print_tsv(rows, peers):
    for row, ours, theirs in rows:
        cells = [row, f"{ours:.2f}"]
        if peers:
            cells += [f"{theirs:.2f}", f"{ours / theirs:.3f}" if theirs else "-"]
        print(*cells, sep="\t", flush=True)


def _measure(programs, workers, options, folder, progress):
    rows = []
    for program in programs:
        progress.show(f"bench vm: {program}, {workers} worker{'s' if workers > 1 else ''}")
        arguments = _SIZES[program][0]
        ours, theirs = [], []
        for _ in range(options.rounds):
            ours.append(_ours(program, arguments, workers))
            if options.peers:
                theirs.append(_theirs(program, arguments, workers, folder))
        mine = _smallest(ours)
        peer = _smallest(theirs) if theirs else {}
        if theirs and mine.keys() != peer.keys():
            raise Problem(f"{program}.lona and {program}.erl measure different rows: "
                          f"{' '.join(sorted(mine.keys() ^ peer.keys()))}")
        found = [(row, value, peer.get(row)) for row, value in mine.items()]
        if options.tsv:
            progress.clear()
            _print_tsv(found, options.peers)
        rows += found
    progress.clear()
    return rows


def _counted(vm, program, arguments):
    """Instructions of one call, and the operations of its rows (each is done six times)."""
    words = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", vm,
             "--lib", ROOT, "--memory", "256", "run", _PROGRAMS / f"{program}.lona",
             *arguments.split()]
    output, log = _output(words, f"callgrind of {program}.lona")
    found = re.search(r"Collected : (\d+)", log)
    if found is None:
        raise Problem(f"callgrind did not count {program}.lona:\n{log[-1000:]}")
    return int(found[1]), sum(6 * count for row, (count, _) in _rows(output).items()
                              if _is_time(row))


def _count(programs, progress):
    """Instructions per operation; of programs with several rows, averaged over their operations."""
    if shutil.which("valgrind") is None:
        raise Problem("valgrind is missing; run ./lona setup")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        vm = pathlib.Path(folder) / "lona-vm"  # valgrind cannot read clang's debug information
        _output(["llvm-objcopy-19", "--strip-debug", HOST_VM, vm], "llvm-objcopy")
        for program in programs:
            _, small, large = _SIZES[program]
            if small is None:
                continue
            progress.show(f"bench vm: instructions of {program}")
            few, operations_few = _counted(vm, program, small)
            many, operations_many = _counted(vm, program, large)
            rows.append((program, f"{(many - few) / (operations_many - operations_few):.0f}"))
    progress.clear()
    table("VM on the host, instructions per operation", ("program", "instructions"), rows)


def bench_vm(options, progress):
    """The programs of bench/vm on the host build; with --peers, beside Erlang with its JIT."""
    known = [name for name in _SIZES if (_PROGRAMS / f"{name}.lona").exists()]
    programs = options.only.split(",") if options.only else known
    unknown = [name for name in programs if name not in known]
    if unknown:
        raise Problem(f"unknown program {' '.join(unknown)}; there are {' '.join(known)}",
                      EXIT_WRONG_USE)
    build("host", "vm/lona-vm")
    if options.counts:
        _count(programs, progress)
        return
    with tempfile.TemporaryDirectory() as folder:
        if options.peers:
            if shutil.which("erl") is None:
                raise Problem("erl is missing; run ./lona setup")
            _output(["erlc", "-o", folder, *_ERLANG.glob("*.erl")], "erlc")
        for workers in options.workers:
            if options.tsv:
                print(f"# workers {workers}", flush=True)
            rows = _measure(programs, workers, options, folder, progress)
            if not options.tsv:
                _print_table(f"VM on the host, {workers} worker{'s' if workers > 1 else ''}, "
                             "time per operation", rows, options.peers)
