#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The whole system on several machines, from the ISO, and on machines it cannot run on."""

import pathlib
import subprocess
import tempfile
import time
import unittest

LONA = pathlib.Path(__file__).resolve().parents[2] / "lona"
OVMF = "/usr/share/ovmf/OVMF.fd"


def lona(*words):
    return subprocess.run([LONA, *words], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=200, check=False)


class Machines(unittest.TestCase):
    def assert_answers(self, *options):
        done = lona("eval", *options, "(+ 1 2)")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"3\n", b""))

    def test_machine_and_processor_models(self):
        for machine in ("q35", "pc"):
            for cpu in ("qemu64", "Nehalem", "max"):
                with self.subTest(machine=machine, cpu=cpu):
                    self.assert_answers("--machine", machine, "--cpu", cpu)

    def test_much_memory(self):
        self.assert_answers("--memory", "4096")

    def test_iso_under_bios_and_uefi(self):
        with tempfile.TemporaryDirectory() as folder:
            iso = f"{folder}/lona.iso"
            made = lona("image", "--iso", iso)
            self.assertEqual(made.returncode, 0, made.stderr)
            for firmware in ([], ["--firmware", OVMF]):
                with self.subTest(firmware=firmware):
                    self.assert_answers("--iso", iso, *firmware)


class Refusals(unittest.TestCase):
    def assert_refused(self, *options, reason):
        started = time.monotonic()
        done = lona("eval", *options, "(+ 1 2)")
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertRegex(done.stderr.decode(), reason)
        self.assertLess(time.monotonic() - started, 60, "the reason came too late")

    def test_too_little_memory_says_how_much_is_needed(self):
        for memory in ("4", "8", "16"):
            with self.subTest(memory=memory):
                self.assert_refused("--memory", memory,
                                    reason=r"too little memory: .*needs \d+ [KM]B")

    def test_an_image_without_its_module_says_so(self):
        self.assert_refused("--root-task", "none", reason=r"no module")

    def test_a_module_that_is_no_program_says_so(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"this is no ELF file" * 100)
            file.flush()
            self.assert_refused("--root-task", file.name, reason=r"ELF")


if __name__ == "__main__":
    unittest.main()
