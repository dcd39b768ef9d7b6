#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""`./lona gdb` stops in our sources."""

import pathlib
import shutil
import subprocess
import unittest

LONA = pathlib.Path(__file__).resolve().parents[2] / "lona"


@unittest.skipIf(shutil.which("gdb") is None, "gdb is not installed")
class Gdb(unittest.TestCase):
    def gdb(self, what, *commands):
        done = subprocess.run([LONA, "gdb", what], input="\n".join([*commands, "kill"]),
                              capture_output=True, text=True, timeout=120, check=False)
        return done.stdout + done.stderr

    def test_a_breakpoint_in_the_kernel_shows_its_source(self):
        said = self.gdb("kernel", "hbreak kernel_boot", "continue", "list")
        self.assertRegex(said, r"Breakpoint 1, .*kernel_boot")
        self.assertIn("kernel_boot(", said.split("Breakpoint 1, ")[-1])
        self.assertNotIn("No such file", said)


if __name__ == "__main__":
    unittest.main()
