# SPDX-License-Identifier: BSD-2-Clause
"""Where things are, and how the tool speaks to the person who called it."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build"
KERNEL = BUILD / "x86_64" / "kernel" / "kernel.elf"
KERNEL_IOMMU = KERNEL.with_name("kernel-iommu.elf")
ROOT_TASK = BUILD / "x86_64" / "manager" / "manager.elf"
VM_REALM = BUILD / "x86_64" / "vm" / "vm.elf"
HOST_VM = BUILD / "host" / "vm" / "lona-vm"

EXIT_FAILED = 1
EXIT_WRONG_USE = 2


class Problem(Exception):
    """Something the caller should read and can act on; ends the tool with `status`."""

    def __init__(self, text, status=EXIT_FAILED):
        super().__init__(text)
        self.status = status


def say(text):
    """One line to the person. Standard output belongs to the program that runs."""
    sys.stderr.write(f"lona: {text}\n")
    sys.stderr.flush()


class Progress:
    """One calm line that is rewritten on a terminal, and nothing elsewhere."""

    def __init__(self, stream=None):
        self._stream = stream or sys.stderr
        self._shown = False
        try:
            self._live = self._stream.isatty()
        except ValueError:
            self._live = False

    @property
    def live(self):
        return self._live

    def show(self, text):
        if self._live:
            self._stream.write(f"\r\033[K{text[:100]}")
            self._stream.flush()
            self._shown = True

    def clear(self):
        if self._shown:
            self._stream.write("\r\033[K")
            self._stream.flush()
            self._shown = False
