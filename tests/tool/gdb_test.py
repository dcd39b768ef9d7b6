#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""`./lona gdb` stops in our sources, and knows the kernel's objects."""

import pathlib
import re
import shutil
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LONA = ROOT / "lona"
BUILD = ROOT / "build" / "x86_64"
TEST_ROOT_TASK = ("--kernel", BUILD / "kernel" / "kernel.elf",
                  "--root-task", BUILD / "tests" / "kernel" / "root.elf")


def gdb(what, *commands, options=()):
    done = subprocess.run([LONA, "gdb", what, *options], input="\n".join([*commands, "kill"]),
                          capture_output=True, text=True, timeout=300, check=False)
    return done.stdout + done.stderr


@unittest.skipIf(shutil.which("gdb") is None, "gdb is not installed")
class Gdb(unittest.TestCase):
    def test_a_breakpoint_in_the_kernel_shows_its_source(self):
        said = gdb("kernel", "hbreak kernel_boot", "continue", "list")
        self.assertRegex(said, r"Breakpoint 1, .*kernel_boot")
        self.assertIn("kernel_boot(", said.split("Breakpoint 1, ")[-1])
        self.assertNotIn("No such file", said)


@unittest.skipIf(shutil.which("gdb") is None, "gdb is not installed")
class KernelObjects(unittest.TestCase):
    """The kernel's test root task, stopped where one of its threads yields: the root thread waits
    for that one's fault."""

    @classmethod
    def setUpClass(cls):
        marks = ["threads", "queues", "caps", "objects reply", "space", "trace 40"]
        commands = ["set pagination off", "hbreak lona::kernel::fast_yield if tcb.priority == 200",
                    "continue"]
        for mark in marks:
            commands += [f"echo ==== {mark}\\n", f"lona {mark}"]
        commands += ["echo ==== endpoint\\n",
                     'print *(lona::kernel::Endpoint*)$thread("root")->blocked_on',
                     "echo ==== slot\\n", 'print $thread("root")->slots[0]',
                     "delete", "hbreak lona::kernel::ReleaseTree::insert", "continue", "finish",
                     "echo ==== waiting\\n", "lona queues", "echo ==== end\\n"]
        said = gdb("kernel", *commands, options=TEST_ROOT_TASK)
        cls.parts = {part.partition("\n")[0]: part for part in said.split("==== ")}
        cls.said = said

    def test_nothing_went_wrong(self):
        self.assertNotRegex(self.said, r"Exception|Error|No symbol|Undefined")

    def test_threads(self):
        self.assertRegex(self.parts["threads"],
                         r"root 0xffffff\w+: priority 255, BlockedOnReceive 0xffffff\w+")
        self.assertRegex(self.parts["threads"], r"0xffffff\w+: priority 200, Running")

    def test_queues(self):
        running = re.search(r"(0xffffff\w+): priority 200, Running", self.parts["threads"])[1]
        self.assertIn(f"core 0 runs {running}", self.parts["queues"])

    def test_who_waits_for_time(self):
        self.assertRegex(self.parts["waiting"], r"\n  waits until \d+: 0x\w+ on 0xffffff\w+\n")

    def test_caps(self):
        root = re.search(r"root (0xffffff\w+): ", self.parts["threads"])[1]
        # The running thread has the root task's CSpace; the ABI fixes the first slots.
        self.assertRegex(self.parts["caps"], rf"\n +1 Tcb {root}\n")
        self.assertRegex(self.parts["caps"], r"\n +4 IrqControl\n")
        self.assertRegex(self.parts["caps"], r" Page 0x\w+, 4 KiB, Read\+Write, mapped at 0x")
        self.assertRegex(self.parts["slot"], r"= CNode 0x\w+, 2\^13 slots, guard 0x0 of 51 bits")

    def test_objects(self):
        self.assertRegex(self.parts["objects reply"], r"0x\w+ Reply 0x\w+")
        self.assertNotIn("Page", self.parts["objects reply"])

    def test_space(self):
        self.assertRegex(self.parts["space"], r"0x\w+-0x\w+ \d+ x 4 KiB, read\n")
        self.assertRegex(self.parts["space"], r"0x\w+-0x\w+ \d+ x 4 KiB, read and write\n")

    def test_endpoint(self):
        root = re.search(r"root 0xffffff\w+", self.parts["threads"])[0]
        self.assertIn(f"receiving: {root}", self.parts["endpoint"])

    def test_trace(self):
        # Interrupts of the timer come when they come.
        self.assertRegex(self.parts["trace 40"],
                         r"root 0x\w+: Recv .*\n(.*\n)*?.*now runs 0x\w+\n(.*\n)*?"
                         r".*0x\w+: Yield 0x0\n")


if __name__ == "__main__":
    unittest.main()
