# SPDX-License-Identifier: BSD-2-Clause
"""The calls that run Lonala (run, eval, batch) and the short ones (build, setup, clean)."""

import os
import pathlib
import shutil
import signal
import subprocess

from . import bootlog, machine, packages, session, terminal
from .build import PRESETS, build
from .common import BUILD, EXIT_WRONG_USE, HOST_VM, LIBRARY, Problem, say


def call_run(options):
    if options.file is None:
        return _lonala(options, "prompt")
    try:
        program = options.file.read_bytes()
    except OSError as error:
        raise Problem(f"{options.file}: {error.strerror}", EXIT_WRONG_USE) from None
    return _lonala(options, "run", [str(options.file), *options.arguments], program)


def call_eval(options):
    return _lonala(options, "eval", options.expressions)


def call_batch(options):
    return _lonala(options, "batch")


def call_build(options):
    unknown = set(options.presets) - set(PRESETS)
    if unknown:
        raise Problem(f"unknown preset {' '.join(sorted(unknown))}; "
                      f"there are {' '.join(PRESETS)}", EXIT_WRONG_USE)
    for preset in options.presets or ("x86_64", "host"):
        build(preset)
    return 0


def call_setup(_options):
    packages.ensure(force=True)
    say("everything that is needed is installed")
    return 0


def call_clean(_options):
    shutil.rmtree(BUILD, ignore_errors=True)
    return 0


def _lonala(options, mode, arguments=(), program=None):
    if options.host:
        return _on_host(mode, list(arguments))
    return _booted(machine_settings(options), options, mode, arguments, program)


def _on_host(mode, arguments):
    build("host", "vm/lona-vm")
    # Ctrl-C reaches the VM by itself: it is in the same process group.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with terminal.kept():
            done = subprocess.run([HOST_VM, mode, "--lib", LIBRARY, *arguments], check=False,
                                  preexec_fn=_default_signals)
    finally:
        signal.signal(signal.SIGINT, before)
    return done.returncode if done.returncode >= 0 else 128 - done.returncode


def _default_signals():
    for number in (signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)


def machine_settings(options):
    """Builds what the options do not replace, and says which machine they ask for."""
    settings = machine.Settings(memory=options.memory, machine=options.machine, cpu=options.cpu,
                                iso=options.iso, firmware=options.firmware)
    if options.kernel:
        settings.kernel = options.kernel
    if options.root_task:
        settings.root_task = None if options.root_task == pathlib.Path("none") \
            else options.root_task
    if not options.iso and not (options.kernel and options.root_task):
        build("x86_64")
    return settings


def _booted(settings, options, mode, arguments, program):
    try:
        log = bootlog.BootLog(options.log, options.verbose)
    except OSError as error:
        raise Problem(f"{options.log}: {error.strerror}", EXIT_WRONG_USE) from None
    size = sum(len(os.fsencode(word)) + 1 for word in arguments)
    if size > 4000:
        raise Problem(f"the arguments are too long: {size} bytes, 4000 can be sent",
                      EXIT_WRONG_USE)
    try:
        with machine.Machine(settings) as running:
            return session.Session(running, log, mode, arguments, program).run()
    except session.Interrupted as interrupted:
        return interrupted.status
    finally:
        log.close()
