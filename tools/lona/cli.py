# SPDX-License-Identifier: BSD-2-Clause
"""The command line: which call means what."""

import argparse
import importlib
import os
import pathlib
import signal
import sys

from .common import EXIT_WRONG_USE, Problem, say

_CALLS = """\
calls:
  run [FILE [ARG…]]     boot the system; run FILE in it, or give its prompt
  eval EXPR…            print the value of each expression
  batch                 read forms from standard input, print one line for each
  test [--only PATTERN] build and run all tests, or those of one or more such patterns
  bench [NAME…]         run benchmarks
  image [--iso FILE]    make the boot image, or an ISO for BIOS and UEFI machines
  build [PRESET…]       build (presets: host asan tsan x86_64)
  setup                 install the Debian packages the project needs
  fmt [--check]         format the C++ sources
  gdb [kernel|manager|vm]  boot stopped, and attach gdb with symbols
  clean                 remove what was built

`./lona CALL --help` tells a call's options."""


_MOST_CORES = 16  # of a machine: the kernel leaves those beyond alone


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        say(message)
        self.print_usage(sys.stderr)
        raise SystemExit(EXIT_WRONG_USE)


def _cores(text):
    number = int(text)
    if not 1 <= number <= _MOST_CORES:
        raise argparse.ArgumentTypeError(f"a machine has 1 to {_MOST_CORES} cores")
    return number


def _machine_options(parser):
    parser.add_argument("--host", action="store_true", help="use the host build of the VM")
    parser.add_argument("--log", type=pathlib.Path, metavar="FILE",
                        help="keep the boot and kernel log")
    parser.add_argument("-v", "--verbose", action="store_true", help="show the log")
    parser.add_argument("--kernel", type=pathlib.Path, metavar="FILE",
                        help="another seL4-ABI kernel under the same root task")
    parser.add_argument("--iommu", action="store_true",
                        help="a machine with an IOMMU, and the kernel that uses it")
    parser.add_argument("--root-task", type=pathlib.Path, metavar="FILE",
                        help="another root task; `none` boots without one")
    parser.add_argument("--iso", type=pathlib.Path, metavar="FILE", help="boot this ISO instead")
    parser.add_argument("--firmware", type=pathlib.Path, metavar="FILE", help="another firmware")
    parser.add_argument("--memory", type=int, metavar="MB",
                        help="of the machine, default 512; with --host of the VM, default any")
    parser.add_argument("--cores", type=_cores, default=1, metavar="N",
                        help="of the machine, default 1")
    parser.add_argument("--machine", default="q35", help="QEMU's machine model, default q35")
    parser.add_argument("--cpu", default="max", help="QEMU's processor model, default max")
    parser.add_argument("--link", choices=("virtio", "uart"), default="virtio",
                        help="what carries the host link, default virtio")
    parser.add_argument("--accel", choices=("auto", "kvm", "tcg"), default="auto",
                        help="default auto: KVM where it works")


def _parser():
    parser = _Parser(prog="./lona", epilog=_CALLS, usage="./lona CALL …",
                     formatter_class=argparse.RawDescriptionHelpFormatter)
    calls = parser.add_subparsers(dest="call", metavar="CALL", parser_class=_Parser,
                                  help=argparse.SUPPRESS)

    run = calls.add_parser("run")
    _machine_options(run)
    run.add_argument("file", nargs="?", type=pathlib.Path)
    run.add_argument("arguments", nargs=argparse.REMAINDER)

    evaluate = calls.add_parser("eval")
    _machine_options(evaluate)
    evaluate.add_argument("expressions", nargs="+", metavar="EXPR")

    _machine_options(calls.add_parser("batch"))

    test = calls.add_parser("test")
    test.add_argument("--only", metavar="PATTERN", action="append", default=[],
                      help="tests whose name contains PATTERN (* and ? as in the shell), "
                           "and those of further --only")
    test.add_argument("--list", action="store_true", help="only list the names")

    bench = calls.add_parser("bench")
    bench.add_argument("names", nargs="*", metavar="NAME")
    bench.add_argument("--kernel", type=pathlib.Path, metavar="FILE",
                       help="kernel: beside another kernel of the same ABI")
    bench.add_argument("--peers", action="store_true", help="vm: beside Erlang")
    bench.add_argument("--tsv", action="store_true",
                       help="vm: lines of row, ours, peer, ratio, separated by tabs")
    bench.add_argument("--counts", action="store_true",
                       help="vm: instructions per operation, by callgrind")
    bench.add_argument("--only", default="", metavar="PROGRAM,…", help="vm: only these programs")
    bench.add_argument("--workers", type=lambda text: [int(n) for n in text.split(",")],
                       default=[1, 2], metavar="N,…", help="vm: with so many workers; default 1,2")
    bench.add_argument("--rounds", type=int, default=1, metavar="N",
                       help="vm: run each program N times, in turn, and take the smallest value")

    image = calls.add_parser("image")
    image.add_argument("--iso", type=pathlib.Path, metavar="FILE")

    calls.add_parser("build").add_argument("presets", nargs="*", metavar="PRESET")
    calls.add_parser("setup")
    calls.add_parser("fmt").add_argument("--check", action="store_true")

    gdb = calls.add_parser("gdb")
    _machine_options(gdb)
    gdb.add_argument("what", nargs="?", choices=("kernel", "manager", "vm"), default="kernel")

    calls.add_parser("clean")
    calls.add_parser("help")
    return parser


# The module that serves each call; its function has the call's name.
_SERVED_BY = {"run": "calls", "eval": "calls", "batch": "calls", "test": "testing",
              "bench": "bench", "image": "image", "build": "calls", "setup": "calls",
              "fmt": "formatting", "gdb": "debugging", "clean": "calls"}


def main(words):
    # Ends quietly, as other programs do, when the reader of our output goes away.
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    parser = _parser()
    options = parser.parse_args(words)
    if options.call in (None, "help"):
        parser.print_help(sys.stdout if options.call else sys.stderr)
        return 0 if options.call else EXIT_WRONG_USE
    try:
        module = importlib.import_module(f".{_SERVED_BY[options.call]}", __package__)
        return getattr(module, f"call_{options.call}")(options)
    except Problem as problem:
        say(str(problem))
        return problem.status
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
