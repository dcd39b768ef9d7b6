# SPDX-License-Identifier: BSD-2-Clause
"""What gdb knows of the kernel: printers for its objects, and the commands `lona …`.

Loaded by `./lona gdb`; in any other gdb by `source tools/gdb/kernel.py`. docs/debugging.md shows
them at work. Debug kernels only: the release kernel's types are not kept apart from its code.
"""

import pathlib
import sys

import gdb

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from lona_gdb import caps, spaces, threads, trace  # noqa: E402,F401


class Lona(gdb.Command):
    """The kernel's objects: lona threads, queues, caps, objects, space, trace."""

    def __init__(self):
        super().__init__("lona", gdb.COMMAND_DATA, prefix=True)


# The processor may be in assembly, or in a program of another language.
gdb.execute("set language c++")
Lona()
for module in (caps, spaces, threads, trace):
    module.register()
