# SPDX-License-Identifier: BSD-2-Clause
"""`./lona gdb`: the machine stopped before its first instruction, and gdb with symbols."""

import os
import shutil
import socket
import subprocess

from . import machine
from .calls import machine_settings
from .common import BUILD, EXIT_WRONG_USE, KERNEL, ROOT, ROOT_TASK, VM_REALM, Problem

_SYMBOLS = {"kernel": KERNEL.with_name("kernel-symbols.elf"), "manager": ROOT_TASK,
            "vm": VM_REALM}
# Printers and commands for the kernel's objects.
_KERNEL_SCRIPT = ROOT / "tools" / "gdb" / "kernel.py"


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _symbols(what):
    path = _SYMBOLS[what]
    return path if path.exists() or what != "kernel" else KERNEL


def call_gdb(options):
    """The console of the guest goes to the log file (--log), its link is not connected."""
    if shutil.which("gdb") is None:
        raise Problem("gdb is missing; install it with: apt-get install gdb", EXIT_WRONG_USE)
    scripts = ["-x", _KERNEL_SCRIPT] if options.what == "kernel" else []
    settings = machine_settings(options)
    machine.check(settings)
    port = _free_port()
    log = options.log or os.devnull
    settings.extra = ["-S", "-gdb", f"tcp:127.0.0.1:{port}"]
    words = machine.command(settings, f"file,path={log}", "null")
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, start_new_session=True) as guest:
        try:
            return subprocess.run(["gdb", "-q", "-ex", "set architecture i386:x86-64",
                                   "-ex", f"set substitute-path build/x86_64 {ROOT}",
                                   "-ex", f"directory {BUILD}/x86_64",
                                   "-ex", f"target remote 127.0.0.1:{port}",
                                   *scripts, _symbols(options.what)], check=False).returncode
        finally:
            guest.kill()
