# SPDX-License-Identifier: BSD-2-Clause
"""The calls that run Lonala (run, eval, batch) and the short ones (build, setup, clean)."""

import os
import pathlib
import shutil
import signal
import subprocess

from . import bootlog, machine, packages, session, terminal
from .build import PRESETS, build
from .common import BUILD, EXIT_WRONG_USE, HOST_VM, KERNEL_IOMMU, ROOT, Problem, say


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
        return _on_host(options, mode, arguments)
    return _booted(machine_settings(options), options, mode, arguments, program)


def _on_host(options, mode, arguments):
    build("host", "vm/lona-vm")
    limit = ["--memory", str(options.memory)] if options.memory else []
    words = [HOST_VM, "--lib", ROOT, *limit, mode, *arguments]
    early, vm = [], None

    def pass_on(number, _frame):
        # On a terminal Ctrl-C has reached the VM already, which is in the same group.
        if number == signal.SIGINT and terminal.is_terminal(0):
            return
        if vm is None:
            early.append(number)
        else:
            vm.send_signal(number)

    # Before the VM starts: it may have said something, and been answered by a signal, at once.
    before = {number: signal.signal(number, pass_on)
              for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        with terminal.kept():
            vm = subprocess.Popen(words, preexec_fn=_default_signals)
            for number in early:
                vm.send_signal(number)
            status = vm.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return status if status >= 0 else 128 - status


def _default_signals():
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def machine_settings(options):
    """Builds what the options do not replace, and says which machine they ask for."""
    settings = machine.Settings(machine=options.machine, cpu=options.cpu, iso=options.iso,
                                firmware=options.firmware, accelerator=options.accel,
                                link=options.link, cores=options.cores)
    if options.memory:
        settings.memory = options.memory
    if options.iommu:
        settings.kernel = KERNEL_IOMMU
        # KVM's own interrupt controller does not know QEMU's IOMMU.
        settings.machine += ",kernel-irqchip=split"
        settings.extra += ["-device", "intel-iommu"]
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
