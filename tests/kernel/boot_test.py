#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boots the kernel with its own test root task on several machines, and on unfit ones."""

import pathlib
import re
import subprocess
import tempfile
import time
import unittest

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build" / "x86_64"
ROOT_TASK = BUILD / "tests" / "kernel" / "root.elf"
KERNELS = {"debug": BUILD / "kernel" / "kernel.elf",
           "release": BUILD / "kernel" / "kernel-release.elf"}
KERNEL_HARDWARE_DEBUG = BUILD / "kernel" / "kernel-hardware-debug.elf"
KERNEL_BENCHMARK = BUILD / "kernel" / "kernel-benchmark.elf"
KERNEL_IOMMU = BUILD / "kernel" / "kernel-iommu.elf"


def boot(until, kernel="debug", root_task=ROOT_TASK, machine="q35", cpu="qemu64", memory=256,
         seconds=90, cores=1, monitor=(), devices=(), counted=True):
    """The first serial port's text, up to a match of `until`.

    `monitor` is a pair: a pattern, and a command for QEMU's monitor when the text matches it.
    """
    command = ["qemu-system-x86_64", "-machine", machine, "-cpu", cpu, "-m", str(memory),
               "-display", "none", "-no-reboot", "-kernel", str(KERNELS.get(kernel, kernel)),
               "-serial", "stdio"]
    if cores == 1 and counted:
        # Guest time is counted in instructions: how busy the host is makes no difference.
        command += ["-icount", "shift=4,sleep=off"]
    elif cores > 1:
        # One host thread plays all cores in turn: a core that spins for the lock then gives way to
        # the holder, however busy the host is.
        command += ["-smp", str(cores), "-accel", "tcg,thread=single"]
    if monitor:
        at = command.index("-serial")
        command[at:at + 2] = ["-chardev", "stdio,id=both,mux=on", "-serial", "chardev:both",
                        "-mon", "chardev=both"]
    for device in devices:
        command += ["-device", device]
    if root_task is not None:
        command += ["-initrd", str(root_task)]
    with tempfile.TemporaryFile() as output:
        with subprocess.Popen(command, stdin=subprocess.PIPE if monitor else subprocess.DEVNULL,
                              stdout=output, stderr=subprocess.STDOUT) as guest:
            try:
                end = time.monotonic() + seconds
                while True:
                    ended = guest.poll() is not None
                    output.seek(0)
                    text = output.read().decode("utf-8", "replace")
                    if monitor and re.search(monitor[0], text):
                        # Control-A c turns the terminal from the serial port to the monitor.
                        guest.stdin.write(b"\x01c" + monitor[1].encode() + b"\n")
                        guest.stdin.flush()
                        monitor = ()
                    if ended or re.search(until, text) or time.monotonic() > end:
                        return text
                    time.sleep(0.1)
            finally:
                guest.kill()


class Interface(unittest.TestCase):
    def check(self, **settings):
        text = boot(r"\d+ passed, \d+ failed", **settings)
        result = re.search(r"(\d+) passed, (\d+) failed", text)
        self.assertIsNotNone(result, text)
        self.assertEqual(result[2], "0", text)
        self.assertGreater(int(result[1]), 20, text)
        kernel = settings.get("kernel")
        self.assertEqual("(no trace)" in text, kernel in ("release", KERNEL_BENCHMARK), text)
        self.assertEqual("(no benchmark calls)" in text, kernel != KERNEL_BENCHMARK, text)

    def test_q35_with_the_oldest_processor(self):
        self.check(machine="q35", cpu="qemu64")

    def test_q35_with_all_features(self):
        self.check(machine="q35", cpu="max")

    def test_pc_with_the_oldest_processor(self):
        self.check(machine="pc", cpu="qemu64")

    def test_pc_with_all_features(self):
        self.check(machine="pc", cpu="max")

    def test_release_kernel(self):
        self.check(kernel="release", cpu="max")

    def test_benchmark_kernel(self):
        self.check(kernel=KERNEL_BENCHMARK, cpu="max")

    def test_hardware_debugging(self):
        self.check(kernel=KERNEL_HARDWARE_DEBUG, cpu="max",
                   root_task=ROOT_TASK.with_name("root-hardware-debug.elf"))

    def test_devices_behind_an_iommu(self):
        for width in (39, 48):
            with self.subTest(width=width):
                self.check(kernel=KERNEL_IOMMU, root_task=ROOT_TASK.with_name("root-iommu.elf"),
                           devices=(f"intel-iommu,aw-bits={width}", "edu"))

    def test_without_acpi(self):
        self.check(machine="pc,acpi=off")

    def test_several_cores(self):
        for cores, kernel in ((2, "debug"), (4, "release"), (8, "debug")):
            with self.subTest(cores=cores):
                self.check(cores=cores, kernel=kernel, cpu="max", seconds=180)

    def test_every_core_is_found(self):
        for cores in (1, 2, 8):
            with self.subTest(cores=cores):
                self.assertRegex(boot(r"root task starts", cores=cores), rf", {cores} cores?\b")

    def test_more_cores_than_the_kernel_has_room_for(self):
        self.assertRegex(boot(r"root task starts", cores=20, seconds=120), r", 16 cores\b")

    def test_memory_on_both_sides_of_the_hole(self):
        self.check(memory=5000, cpu="max")


class Panic(unittest.TestCase):
    def test_reports_registers_and_named_functions(self):
        for kernel in KERNELS:
            with self.subTest(kernel=kernel):
                text = boot(r"backtrace:\s+0x\w+ .*\+.*\n", kernel=kernel, counted=False,
                            monitor=(r"\d+ passed, \d+ failed", "nmi"))
                self.assertRegex(text, r"PANIC: NMI")
                self.assertRegex(text, r"rip 0xffffffff8\w+")
                # Nobody runs any more after the tests, so the processor waits; counted time would
                # fly from one tick of the timer to the next.
                self.assertRegex(text, r"backtrace:\s+0xffffffff8\w+ idle \+ \d+")


class Refusals(unittest.TestCase):
    def check(self, reason, **settings):
        text = boot(reason, seconds=30, **settings)
        self.assertRegex(text, reason)

    def with_module(self, reason, content):
        with tempfile.NamedTemporaryFile() as module:
            module.write(content)
            module.flush()
            self.check(reason, root_task=module.name)

    def test_no_module(self):
        self.check(r"PANIC: no module", root_task=None)

    def test_no_module_on_a_release_kernel(self):
        self.check(r"PANIC: no module", root_task=None, kernel="release")

    def test_module_that_is_no_elf_file(self):
        self.with_module(r"PANIC: the module is no usable root task", b"no program" * 1000)

    def test_module_cut_off(self):
        self.with_module(r"PANIC: the module is no usable root task",
                         ROOT_TASK.read_bytes()[:5000])

    def test_module_that_claims_kernel_addresses(self):
        image = bytearray(ROOT_TASK.read_bytes())
        # Every loadable segment and the entry point move to the kernel's half.
        offset = int.from_bytes(image[32:40], "little")
        for index in range(int.from_bytes(image[56:58], "little")):
            at = offset + 56 * index
            if image[at:at + 4] == b"\1\0\0\0":
                image[at + 22:at + 24] = b"\xff\xff"
        image[30:32] = b"\xff\xff"
        self.with_module(r"PANIC: the (module is no usable root task|root task does not lie)",
                         bytes(image))

    def test_too_little_memory_says_how_much_is_needed(self):
        self.check(r"PANIC: too little memory: this boot image needs \d+ [KM]i?B", memory=2)


if __name__ == "__main__":
    unittest.main()
